import { Router } from '@koa/router';
import { afterEach, describe, expect, test } from '@jest/globals';
import { closeServed, serve } from '../testing/serve.ts';
import { pageSecurityHeaders, setPageSecurity } from './security-headers.ts';

const policyOf = (page: Parameters<typeof pageSecurityHeaders>[0]): string =>
  pageSecurityHeaders(page)['Content-Security-Policy'] ?? '';

afterEach(closeServed);

describe('headers of a page', () => {
  test('replace those of the API: the opener and the form origin stay, HSTS stays', async () => {
    const router = new Router();
    router.get('/page', (ctx) => {
      setPageSecurity(ctx, { frameAncestors: ['https://wallet.example'] });
      ctx.type = 'html';
      ctx.body = '<p>page</p>';
    });
    const app = await serve([router]);
    const { headers } = await fetch(`${app.url}/page`);
    expect(headers.get('cross-origin-opener-policy')).toBe('unsafe-none');
    expect(headers.get('referrer-policy')).toBe('same-origin');
    expect(headers.get('x-frame-options')).toBeNull();
    expect(headers.get('strict-transport-security')).toContain('max-age');
    expect(headers.get('content-security-policy')).toContain('frame-ancestors https://wallet.example;');
    expect(headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('forbid framing unless an origin may', () => {
    expect(policyOf({})).toContain("frame-ancestors 'none'");
    expect(pageSecurityHeaders()['X-Frame-Options']).toBe('DENY');
  });

  test('admit return origins, app schemes too, and nothing that could smuggle in a directive', () => {
    const formAction = [
      'https://wallet.example:8443',
      'vibrant:',
      "https://a.example; script-src 'unsafe-inline'",
      '*',
    ];
    expect(policyOf({ formAction })).toContain("form-action 'self' https://wallet.example:8443 vibrant:;");
    expect(policyOf({ formAction })).not.toContain('unsafe-inline');
  });
});
