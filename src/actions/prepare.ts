import { HostwrightError } from '../errors.ts';
import type { ActionPlan, Answer } from '../roles/action.ts';
import type { SiteModel } from '../site/model.ts';
import type { Connections } from './connections.ts';
import { contextOf, type Asked } from './context.ts';
import { failureOf } from './failure.ts';

/** What an action says before anything is changed: what it has read, or what it will do. */
export type Prepared =
  { readonly kind: 'answer'; readonly answer: Answer } | { readonly kind: 'plan'; readonly plan: ActionPlan };

/** Has an action read the hosts. Rejects with what it threw, with a place. */
export async function prepare(asked: Asked, site: SiteModel, runOn: Connections['runOn']): Promise<Prepared> {
  const { action } = asked.found;
  const { host, ...context } = contextOf(asked, site, runOn);
  try {
    if (action.on === 'site') {
      return action.read === undefined
        ? { kind: 'plan', plan: await action.plan(context) }
        : { kind: 'answer', answer: await action.read(context) };
    }
    if (host === undefined) throw new HostwrightError('E_USAGE', 'the action needs a host');
    return action.read === undefined
      ? { kind: 'plan', plan: await action.plan({ ...context, host }) }
      : { kind: 'answer', answer: await action.read({ ...context, host }) };
  } catch (error) {
    throw failureOf(asked.found, error);
  }
}
