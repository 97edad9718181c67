/** What the numbers of a panel count. Percent are 0 to 100. */
export type Unit = 'requests' | 'percent' | 'seconds' | 'bytes' | 'days' | 'count' | 'queries';

export interface Query {
  /** PromQL. `$window` stands for how much time one point of the graph is made from, such as `30s`. */
  readonly expr: string;
  /** The name of each series; `{host}` stands for the value of that label. */
  readonly legend: string;
}

/** From which value on something is wrong, which is where its alert begins. */
export interface Threshold {
  readonly at: number;
  readonly bad: 'above' | 'below';
  readonly severity: 'warning' | 'critical';
}

interface Shown {
  /** In the address of the page: `#qps`. */
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly threshold?: Threshold;
  /** What it says and what to think of it, in a sentence or two. */
  readonly means: string;
  /** Why there may be nothing to see, although all works. */
  readonly without: string;
}

/** A graph over the time that the page shows. */
export interface Panel extends Shown {
  readonly queries: readonly [Query, ...Query[]];
  /** The largest value of the axis that is always shown: 100 for what is a part of something. */
  readonly top?: number;
}

/** One of the numbers above the graphs, as of now. */
export interface Figure extends Shown {
  /** PromQL with one series. */
  readonly expr: string;
  /** PromQL of what it is a part of: the 3 of `2 of 3`. All of them are there, or it is the threshold's matter. */
  readonly of?: string;
  /** The panel with its history. */
  readonly panel: string;
}

export interface Section {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** All that the page shows: the same for every host of the site. */
export interface Dashboard {
  /** The name of the site. */
  readonly site: string;
  /** Seconds between two readings of a metric. */
  readonly interval: number;
  /** Days that metrics are kept. */
  readonly days: number;
  /** Names of the hosts: each has the same colour in all graphs. */
  readonly hosts: readonly string[];
  readonly figures: readonly Figure[];
  readonly sections: readonly Section[];
}
