// What the server says of the packaged weights and of the rules around them; names as in src/fear/config.py.

export interface NetworkConfig {
  readonly name: string;
  readonly width: number;
  readonly template_size: number;
  readonly search_size: number;
  readonly least_search_size: number;
}

export interface Card {
  readonly network: NetworkConfig;
  readonly parameters: number;
  readonly dynamic_weight: number;
  readonly scores: Readonly<Record<string, number>>;
}

export interface Rules {
  readonly template_context: number;
  readonly search_context: number;
  readonly search_size: number;
  readonly steady_search_size: number | null;
  readonly steady_score: number;
  readonly steady_step: number;
  readonly window: number;
  readonly penalty: number;
  readonly size_rate: number | null;
  readonly lost_score: number;
  readonly update_interval: number;
}

export interface Models {
  readonly version: string;
  readonly rules: Rules;
  readonly cards: Readonly<Record<string, Card>>;
}

/** Side of the search crop in pixels; that of steady targets may be smaller. */
export function searchSide(rules: Rules, network: NetworkConfig, steady: boolean): number {
  const side = Math.min(rules.search_size, network.search_size);
  if (!steady || rules.steady_search_size === null) return side;
  return Math.min(side, Math.max(rules.steady_search_size, network.least_search_size));
}
