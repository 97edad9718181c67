import type { PlannedChange } from '../plan/host-plan.ts';
import type { ApplyContext, Conversation, Step } from '../resources/step.ts';
import type { HostRun } from './host-run.ts';
import type { PathStep, TransactionSteps } from './transaction.ts';

/** How the types make some changes of a host. */
export function stepsOf(run: HostRun, changes: readonly PlannedChange[]): readonly (Step | Conversation)[] {
  const context: ApplyContext = {
    declared: (name) =>
      run.plan.declared
        .filter((resource) => resource.type.name === name && resource.type.want(resource.desired) !== null)
        .map((resource) => resource.type.key(resource.desired)),
  };
  const due = new Set(changes.map(({ id }) => id));
  const types = new Set(changes.map((change) => change.resource.type));
  return [...types].flatMap((type) => {
    const all = [...run.plan.changes.values()].filter((change) => change.resource.type === type);
    const isFirst = !all.some(({ id }) => run.outcomes.has(id));
    return type.apply(
      changes.filter((change) => change.resource.type === type),
      context,
      isFirst ? all.filter(({ id }) => !due.has(id)) : [],
    );
  });
}

export function isConversation(step: Step | Conversation): step is Conversation {
  return 'converse' in step;
}

export function isStep(step: Step | Conversation): step is Step {
  return !isConversation(step);
}

/** How to make the change of a path. */
function pathSteps(run: HostRun, change: PlannedChange): readonly PathStep[] {
  const path = change.resource.type.files?.path?.(change.desired);
  if (path === undefined) return [];
  const replaces = change.action === 'delete' || change.attributes.some(({ name }) => name === 'kind');
  return stepsOf(run, [change])
    .filter(isStep)
    .map((step) => ({ step, path, replaces, removes: change.resource.type.files?.removes?.(change) ?? [] }));
}

/** How files and the service that validates them are changed as one. */
export function transactionSteps(run: HostRun, changes: readonly PlannedChange[]): TransactionSteps {
  const service = run.plan.nodes.find((node) =>
    node.members.some((member) => member.id === changes[0]?.id),
  )?.validatedBy;
  const transaction = service?.type.runtime?.transaction?.(service.desired);
  if (service === undefined || transaction === undefined)
    throw new Error('a transaction without its service');
  // Each alone, in their order: a file may need the directory that another one makes.
  const files = changes.flatMap((change) => pathSteps(run, change));
  const reload = changes.find(({ id }) => id === service.id);
  const [own] = reload === undefined ? [] : stepsOf(run, [reload]).filter(isStep);
  return { transaction, files, ...(own === undefined ? {} : { service: own }) };
}
