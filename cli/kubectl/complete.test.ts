import { expect, test } from '@jest/globals';
import { Command } from 'commander';
import { addAnchorCommands } from './commands.ts';
import { completions, typedSoFar } from './complete.ts';
import { openPlace } from './place.ts';

const program = new Command('kubectl anchor');
addAnchorCommands(program);
const said = async (...args: string[]): Promise<string[]> => (await completions(program, args)).split('\n');

test('the place is told from the words, in each way to write it', () => {
  expect(typedSoFar(['status', '-n', 'harbor', '--context=test', 'ha'])).toEqual({
    place: { namespace: 'harbor', context: 'test' },
    words: ['status'],
    last: 'ha',
  });
});

test('commands and options are completed, and files never', async () => {
  expect(await said('re')).toEqual(['report', 'resume', 'restart', 'receipts', ':4', '']);
  expect(await said('resume', '--pay')).toEqual(['--payments', ':4', '']);
  expect(await said('nonsense', '')).toEqual([':4', '']);
});

test('without a cluster names complete to nothing', async () => {
  expect(await said('status', '--kubeconfig=/nonexistent', '')).toEqual([':4', '']);
  expect(await said('status', 'harbor', '')).toEqual([':4', '']);
});

test('a kubeconfig that is not there is told by its name', async () => {
  await expect(openPlace({ kubeconfig: '/nonexistent/config' })).rejects.toThrow(
    'There is no /nonexistent/config.',
  );
});
