import Handlebars from 'handlebars';
import { HostwrightError, HostwrightErrors } from '../errors.ts';
import { Secret } from '../secrets/secret.ts';
import { parseTemplate, type Program } from './ast.ts';
import { checkTemplate, type ParsedTemplate } from './check.ts';
import { disclose } from './disclosure.ts';
import { templateFunctions } from './functions.ts';
import { outputFunction, outputText, withOutputCalls } from './output.ts';

/** The text of a template with the file it came from, for errors. */
export interface TemplateText {
  readonly text: string;
  readonly file: string;
}

/** Finds the partial of a name; undefined where there is none. */
export type ReadPartial = (name: string) => TemplateText | undefined;

export interface Rendering extends TemplateText {
  readonly data: Readonly<Record<string, unknown>>;
  readonly partial?: ReadPartial;
}

type Compiled = Handlebars.TemplateDelegate<unknown>;
interface PreparedTemplate extends ParsedTemplate {
  readonly compiled: Compiled;
}

/** Renders a template once; see `createRenderer`. */
export function render(rendering: Rendering): string | Secret {
  return createRenderer()(rendering);
}

/** Changes a template before it is compiled. */
type Rewrite = (program: Program, file: string) => Program;

/**
 * Makes a function that renders handlebars templates strictly: an undefined name, a value that is
 * not text, and a syntax error are E_TEMPLATE, all errors of a template at once. A text
 * that contains a secret is a Secret. Compiled templates are cached.
 */
export function createRenderer(
  rewrite: Rewrite = (program) => program,
): (rendering: Rendering) => string | Secret {
  const engine = Handlebars.create();
  for (const name of ['log', 'lookup']) engine.unregisterHelper(name);
  engine.registerHelper('raw', function raw(this: unknown, options: Handlebars.HelperOptions): string {
    return options.fn(this);
  });
  engine.registerHelper(outputFunction, (value: unknown) => outputText(value));
  for (const [name, callee] of Object.entries(templateFunctions)) {
    // Handlebars hands its own options over as the last value.
    engine.registerHelper(name, (...values: unknown[]) => callee.call(...values.slice(0, -1)));
  }

  const prepared = new Map<string, PreparedTemplate>();
  const prepare = ({ text, file }: TemplateText): PreparedTemplate => {
    const key = `${file}\0${text}`;
    const known = prepared.get(key);
    if (known) return known;
    const program = parseTemplate(text, file);
    // The calls stand in the lines of the template itself, so that its lines keep their numbers.
    const rewritten = rewrite(parseTemplate(withOutputCalls(text, program), file), file);
    const compiled = engine.compile<unknown>(rewritten, { noEscape: true, strict: true });
    const template = { file, program, compiled };
    prepared.set(key, template);
    return template;
  };

  return ({ text, file, data, partial }) => {
    const template = prepare({ text, file });
    const partials = new Map<string, PreparedTemplate>();
    const findPartial = (name: string): PreparedTemplate | undefined => {
      const known = partials.get(name);
      if (known) return known;
      const found = partial?.(name);
      if (!found) return undefined;
      const ready = prepare(found);
      partials.set(name, ready);
      return ready;
    };

    // The check may look at secrets in its own way, so it has a copy of its own.
    const errors = checkTemplate(template, disclose(data).value, findPartial);
    const [first] = errors;
    if (first) throw errors.length === 1 ? first : new HostwrightErrors(errors);

    const disclosure = disclose(data);
    const compiled = Object.fromEntries([...partials].map(([name, ready]) => [name, ready.compiled]));
    const output = run(template, disclosure.value, compiled);
    return disclosure.disclosed() ? new Secret(output) : output;
  };
}

function run(template: PreparedTemplate, data: unknown, partials: Record<string, Compiled>): string {
  try {
    return template.compiled(data, { partials });
  } catch (error) {
    // The message of handlebars may hold a value, hence a secret.
    throw new HostwrightError('E_TEMPLATE', 'the template cannot be rendered', {
      place: { file: template.file },
      found: error instanceof RangeError ? 'the nesting is too deep' : 'an error that the check did not find',
    });
  }
}
