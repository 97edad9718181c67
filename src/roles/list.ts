/** The result of a role: items, lists of items, and false values of conditions. */
export type Listed<Item> = readonly (Item | Listed<Item> | false | null | undefined | '' | 0)[];

function isItem<Item>(entry: Listed<Item>[number]): entry is Item {
  return Boolean(entry);
}

function isList<Item>(entry: Listed<Item>[number]): entry is Listed<Item> {
  return Array.isArray(entry);
}

/** The items in their order, without the false values. */
export function listed<Item>(list: Listed<Item>): readonly Item[] {
  return list.flatMap((entry): readonly Item[] => {
    if (isList(entry)) return listed(entry);
    return isItem(entry) ? [entry] : [];
  });
}
