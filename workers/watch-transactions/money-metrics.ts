import { journalFigures } from '../../core/database/repositories/journal-figures.ts';
import type { Database } from '../../core/database/database.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';

/** What an alert should stand on: read from the database at each scrape, so that a standby shows the same. */
export function observeJournal(metrics: Metrics, database: Database): void {
  metrics.gauge({
    name: 'accounts_frozen',
    help: 'Distribution accounts from which nothing is paid, because something was sent that the journal lacks.',
    collect: async (gauge) => gauge.set((await journalFigures(database)).frozen),
  });
  metrics.gauge({
    name: 'foreign_transactions_open',
    help: 'Transactions of our accounts that are not in the journal and that nobody has adopted.',
    collect: async (gauge) => gauge.set((await journalFigures(database)).foreign),
  });
  metrics.gauge({
    name: 'submissions_unproven',
    help: 'Submissions so long past their time bounds that a person was called, neither found nor proven dead.',
    collect: async (gauge) => gauge.set((await journalFigures(database)).unproven),
  });
}
