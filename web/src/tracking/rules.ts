// What the server says of the packaged weights and of the rules around them; names as in src/fear/config.py.

import { shrunk, windowAround, type Box, type Window } from "./geometry";

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

/** Names of the rules that the page follows; those of src/fear/config.py. */
const RULES = [
  ...(["dynamic_template", "update_interval", "template_context", "search_context", "search_size"] as const),
  ...(["steady_search_size", "steady_score", "steady_step", "window", "penalty", "size_rate"] as const),
  ...(["lost_score", "lost_similarity", "least_similarity", "doubt_frames"] as const),
  ...(["camera_motion", "redetection", "redetection_work", "found_score", "found_similarity", "found_frames"] as const),
] as const;

export interface Rules {
  readonly dynamic_template: boolean;
  readonly update_interval: number;
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
  readonly lost_similarity: number;
  readonly least_similarity: number;
  readonly doubt_frames: number;
  readonly camera_motion: boolean;
  readonly redetection: boolean;
  readonly redetection_work: number;
  readonly found_score: number;
  readonly found_similarity: number;
  readonly found_frames: number;
}

export interface Models {
  readonly version: string;
  readonly rules: Rules;
  readonly cards: Readonly<Record<string, Card>>;
}

/** Checks that the server speaks of the same rules: a page and a package of different versions must not follow by half of them. */
export function requireRules(rules: Partial<Rules>): Rules {
  const missing = RULES.filter((name) => rules[name] === undefined);
  if (missing.length > 0) throw new Error(`models.json: expected the rules ${missing.join(", ")}, which it lacks; build the page again with: make web`);
  return rules as Rules;
}

/** Side of the search crop in pixels; that of steady targets may be smaller. */
export function searchSide(rules: Rules, network: NetworkConfig, steady: boolean): number {
  const side = Math.min(rules.search_size, network.search_size);
  if (!steady || rules.steady_search_size === null) return side;
  return Math.min(side, Math.max(rules.steady_search_size, network.least_search_size));
}

/** The window of the search crop around a box, at the scale that the network knows. */
export function searchWindow(box: Box, rules: Rules, network: NetworkConfig, steady: boolean): Window {
  const side = searchSide(rules, network, steady);
  return shrunk(windowAround(box, rules.search_context, side), side / network.search_size);
}
