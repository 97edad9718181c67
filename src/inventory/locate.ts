/** The inventory that `-i` names, else the environment's, else `inventory/` in the current folder. */
export function inventoryPath(option: string | undefined, environment: NodeJS.ProcessEnv): string {
  return option ?? (environment['HOSTWRIGHT_INVENTORY'] || 'inventory');
}
