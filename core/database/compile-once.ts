import type { CompiledQuery, Kysely } from 'kysely';
import { prepareByName } from './prepared.ts';
import type { Tables } from './schema.ts';

type Values = Readonly<Record<string, unknown>>;

/** Stands in a statement where a value comes with each execution. */
class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A statement that is built and compiled to SQL once, and prepared once by each connection (prepared.ts), for the busiest ones: building
 * costs Kysely as much CPU as the execution.
 *
 * @param build makes the statement; `value('name')` stands for a parameter and must go into the statement as it is, never
 *   be looked at
 * @returns executes it with these values and answers its rows
 */
export function compileOnce<Given extends Values, Row>(
  build: (
    database: Kysely<Tables>,
    value: <Name extends keyof Given & string>(name: Name) => Given[Name],
  ) => { compile(): CompiledQuery<Row> },
): (database: Kysely<Tables>, given: Given) => Promise<Row[]> {
  let compiled: CompiledQuery<Row> | undefined;
  return async (database, given) => {
    if (!compiled) {
      compiled = build(database, (name) => new Placeholder(name) as never).compile();
      prepareByName(compiled.sql);
    }
    const parameters = compiled.parameters.map((parameter) =>
      parameter instanceof Placeholder ? given[parameter.name] : parameter,
    );
    const { rows } = await database.executeQuery<Row>({ ...compiled, parameters });
    return rows;
  };
}
