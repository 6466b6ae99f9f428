import { InvalidToken } from '../../core/keys/jwt.ts';
import type { SessionKeyRing } from '../../core/keys/jwt.ts';
import { parseSubject } from './subject.ts';
import type { Subject } from './subject.ts';

/** Sets these tokens apart from all others that the session keys sign, such as those of interactive URLs. */
export const SEP10_AUDIENCE = 'sep10';

export interface TokenOptions {
  readonly keys: SessionKeyRing;
  /** The URL of the endpoint that issues, `https://HOST/auth`. */
  readonly issuer: string;
}

export interface TokenRequest {
  readonly subject: Subject;
  readonly homeDomain: string;
  /** The wallet's domain, if its SIGNING_KEY signed as well. */
  readonly clientDomain?: string | undefined;
  /** Hex. */
  readonly challengeHash: string;
  readonly nowMs: number;
  readonly lifetimeMs: number;
}

export interface Session {
  readonly subject: Subject;
  readonly clientDomain?: string;
  readonly homeDomain?: string;
  readonly expiresAtMs: number;
}

/** The JWT of SEP-10 ("Token"): `iss`, `sub`, `iat`, `exp`, `jti`, `home_domain` and perhaps `client_domain`. */
export function issueToken(request: TokenRequest, { keys, issuer }: TokenOptions): string {
  const nowS = Math.floor(request.nowMs / 1000);
  return keys.sign({
    iss: issuer,
    sub: request.subject.sub,
    aud: SEP10_AUDIENCE,
    iat: nowS,
    exp: nowS + Math.floor(request.lifetimeMs / 1000),
    jti: request.challengeHash,
    home_domain: request.homeDomain,
    ...(request.clientDomain !== undefined && { client_domain: request.clientDomain }),
  });
}

/**
 * Who sent a bearer token of ours.
 * @throws {InvalidToken} unless one of our session keys signed it for this purpose and issuer, and it has not expired
 */
export function verifyToken(token: string, nowMs: number, { keys, issuer }: TokenOptions): Session {
  const claims = keys.verify(token, { audience: SEP10_AUDIENCE, nowMs });
  const subject = typeof claims['sub'] === 'string' ? parseSubject(claims['sub']) : undefined;
  if (claims['iss'] !== issuer || !subject) {
    throw new InvalidToken(
      'token_invalid',
      'The token is not valid: it is of another server. Authenticate again.',
    );
  }
  const { client_domain: clientDomain, home_domain: homeDomain } = claims;
  return {
    subject,
    ...(typeof clientDomain === 'string' && { clientDomain }),
    ...(typeof homeDomain === 'string' && { homeDomain }),
    expiresAtMs: claims.exp * 1000,
  };
}
