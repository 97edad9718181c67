import { lines, sh, type Script } from '../../transport/shell.ts';
import type { Section } from '../../transport/sections.ts';
import type { Answer } from '../../transport/transport.ts';
import type { Joint, Probe } from '../resource.ts';
import { Unreadable, type Actual, type State } from '../state.ts';
import { clientOf, sqlClient, type Flavor } from './sql.ts';

/** What a probe asks of the server. */
export interface Question {
  /** Statements, each of which prints rows, or an error in their place. */
  readonly rows: string;
  /** Runs after all rows were read, and prints what comes behind them. */
  readonly more?: Script;
  /** For `more`; of all questions of a host, one at most. */
  readonly stdin?: Uint8Array;
}

/** A probe of the server: all of a host go through one client, which costs more than what it is asked. */
interface Asking<Found extends State = State> extends Probe<Found> {
  readonly question: Question;
}

/** Seconds until a server is given up that takes connections and does not answer. */
const patience = 20;

const begin = "SELECT 'ready';\n";

/**
 * `hw_ask FILE` asks what the file holds. Rows and errors share one stream, so that an error stands in the place of
 * its rows, and what comes behind it is asked all the same.
 */
const askFunction = (server: Flavor): Script => sh`hw_ask() {
  hw_code=0
  HOME=/nonexistent timeout -k 2 ${patience} ${clientOf(server)} --no-defaults --protocol=socket --user=root \
    --connect-timeout=10 --default-character-set=utf8mb4 --batch --raw --skip-column-names --unbuffered --force \
    <"$1" 2>&1 || hw_code=$?
  [ "$hw_code" -lt 124 ] || echo ${`away the server does not answer within ${patience} s`}
}`;

/** For `more`: `hw_part` writes the rows of its question into "$HW/part". */
const partFunction = sh`hw_at=0
hw_part() {
  awk -v part="$hw_at" '$0 == "ready" { at++; next } at == part' "$HW/rows" >"$HW/part"
}`;

/** Asks the rows of a question once more, into "$HW/part". */
export function askAgain(rows: string): Script {
  return sh`printf '%s\n' ${begin + rows} >"$HW/again"
hw_ask "$HW/again" >"$HW/part"`;
}

/** Runs what comes behind the rows of a question, in a shell of its own: where it fails, the others go on. */
function runMore({ more }: Question, index: number): readonly Script[] {
  if (more === undefined) return [];
  return [
    sh`echo ${`then ${index}`}
hw_at=${index + 1}
set +e
(set -e
${more}
) 2>"$HW/words"
hw_code=$?
[ "$hw_code" -eq 0 ] || sed 's/^/failed /' "$HW/words"
set -e`,
  ];
}

/** One section for all questions: the rows of all, each behind `ready`, and then what comes behind the rows. */
export function askServer(server: Flavor, questions: readonly Question[]): Section {
  const script = lines([
    sqlClient(server),
    askFunction(server),
    partFunction,
    sh`if ! command -v ${clientOf(server)} >/dev/null 2>&1; then echo 'away its client is not installed'; exit 0; fi
printf '%s\n' ${questions.map(({ rows }) => begin + rows)} >"$HW/questions"
hw_ask "$HW/questions" >"$HW/rows"
cat "$HW/rows"
if ! grep -qx ready "$HW/rows"; then exit 0; fi`,
    ...questions.flatMap(runMore),
  ]);
  const stdin = questions.find((question) => question.stdin !== undefined)?.stdin;
  return stdin === undefined ? { script } : { script, stdin };
}

/** Why a question has no answer. */
const trouble = /^(?:away|failed|(?=ERROR \d+ \()) ?(.*)$/;

/** Every question with what answers it, as if it had been asked alone. */
function parts(output: Buffer, count: number): readonly string[] {
  const rows = output.toString('utf8').split(/^(?=then \d+$)/m);
  const [common = '', ...behind] = rows;
  const own = common.split(/^(?=ready$)/m);
  // A server that goes away says so in the part where it did, and answers no other.
  const lastWords =
    own
      .at(-1)
      ?.split('\n')
      .find((text) => trouble.test(text)) ?? '';
  return Array.from({ length: count }, (_, index) => {
    const rest = behind.find((text) => text.startsWith(`then ${index}\n`)) ?? '';
    return (own[index] ?? lastWords) + rest;
  });
}

const joints: Readonly<Record<Flavor, Joint<Asking>>> = { mysql: joint('mysql'), mariadb: joint('mariadb') };

function joint(server: Flavor): Joint<Asking> {
  return {
    section: (probes) =>
      askServer(
        server,
        probes.map(({ question }) => question),
      ),
    answers: (answer, count): readonly Answer[] =>
      parts(answer.stdout, count).map((text) => ({ ...answer, stdout: Buffer.from(text) })),
  };
}

/** A probe that asks the server; `parse` gets the rows, and what comes behind them. */
export function probeServer<Found extends State>(
  server: Flavor,
  batch: readonly object[],
  question: Question,
  parse: (rows: readonly string[]) => readonly Actual<Found>[],
): Asking<Found> {
  return {
    ...askServer(server, [question]),
    question,
    joint: joints[server],
    parse: (output) => {
      const rows = parseAnswer(output);
      return rows instanceof Unreadable ? batch.map(() => rows) : parse(rows);
    },
  };
}

/** No error of the server, but what is asked about is not there: such a user has no grants. */
const isMissing = /^ERROR 1141 /;

/** The rows of a question that was asked alone, or why there are none. RangeError for any other answer. */
export function parseAnswer(output: Buffer): readonly string[] | Unreadable {
  const all = output.toString('utf8').replace(/\n$/, '').split('\n');
  const problem = all.find((text) => trouble.test(text) && !isMissing.test(text));
  if (problem !== undefined) return new Unreadable(trouble.exec(problem)?.[1] ?? problem);
  const begun = all.lastIndexOf('ready');
  if (begun < 0) throw new RangeError(`unexpected answer "${all[0]?.slice(0, 80) ?? ''}" of the server`);
  return all.slice(begun + 1).filter((text) => !/^then \d+$/.test(text));
}
