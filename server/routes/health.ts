import { Router } from '@koa/router';
import type { Health, HealthAnswer } from '../../core/runtime/health.ts';

/** What Kubernetes' probes and load balancers ask: `GET /health/live` and `GET /health/ready`, 200 or 503. */
export function createHealthRouter(health: Health): Router {
  const router = new Router();
  const answer = (
    ctx: Parameters<Parameters<typeof router.get>[1]>[0],
    { ok, reasons }: HealthAnswer,
  ): void => {
    ctx.status = ok ? 200 : 503;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = ok ? { status: 'ok' } : { error: reasons.join(', '), reasons };
  };
  router.get('/health/live', (ctx) => answer(ctx, health.live()));
  router.get('/health/ready', async (ctx) => answer(ctx, await health.ready()));
  return router;
}
