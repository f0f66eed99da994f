// What the features add, gathered for those who show it.

import { createContext } from 'svelte';
import type { Action, Feature } from './feature';

/** features is the list of app.ts; provideFeatures is for App.svelte. */
export const [features, provideFeatures] = createContext<readonly Feature[]>();

/** only is what the features have of one kind, in their order. */
export function only<K extends keyof Feature>(all: readonly Feature[], key: K): NonNullable<Feature[K]>[] {
	return all.flatMap((f) => (f[key] ? [f[key] as NonNullable<Feature[K]>] : []));
}

/** named finds the panel or page that some feature has by that name. */
export function named<K extends 'panels' | 'pages'>(all: readonly Feature[], key: K, name: string | undefined) {
	const found = name && all.find((f) => f[key] && Object.hasOwn(f[key], name));
	return found ? (found[key]![name] as NonNullable<Feature[K]>[string]) : undefined;
}

export const gathered = (lists: Action[][]): Action[] => lists.flat();
