import { Job } from 'kubernetes-models/batch/v1';
import { PersistentVolumeClaim } from 'kubernetes-models/v1';
import { z } from 'zod';

const kinds = [Job, PersistentVolumeClaim];

const typed = z.looseObject({ apiVersion: z.string(), kind: z.string() });

/** The paths of all fields below a value: `spec.template`, `spec.template.spec.containers.0.name`. */
function fieldsOf(value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => [
    `${path}${key}`,
    ...fieldsOf(inner, `${path}${key}.`),
  ]);
}

function above(field: string): string {
  return field.slice(0, Math.max(0, field.lastIndexOf('.')));
}

/** The same value, which takes out of `unread` every field that is read. */
function watched(value: object, path: string, unread: Set<string>): object {
  return new Proxy(value, {
    get(target, key, receiver): unknown {
      const inner: unknown = Reflect.get(target, key, receiver);
      if (typeof key === 'symbol' || !Object.hasOwn(target, key)) return inner;
      unread.delete(`${path}${key}`);
      return typeof inner === 'object' && inner !== null ? watched(inner, `${path}${key}.`, unread) : inner;
    },
  });
}

/**
 * What the schemas of the Kubernetes API say against an object: what is missing or of another type, and fields that
 * they do not have. They allow these; the API refuses them only where it is asked to (`--validate=strict`).
 */
export function complaints(object: unknown): readonly string[] {
  const { apiVersion, kind } = typed.parse(object);
  const model = kinds.find((one) => one.apiVersion === apiVersion && one.kind === kind);
  if (model === undefined) return [`there is no schema for ${kind} in ${apiVersion}`];
  const unread = new Set(fieldsOf(object, ''));
  try {
    // The instance itself would be a copy, from which nobody learns what is read.
    model.prototype.validate.call(watched(typed.parse(object), '', unread));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  return [...unread].filter((field) => !unread.has(above(field))).map((field) => `${field} is unknown`);
}
