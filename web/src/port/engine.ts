// The typed face of the engine: attach.js of internal/client/wasm with what
// docs/protocol/engine.md says of it. Nothing else of the screen speaks to the Worker.

import { attach } from '../../../internal/client/wasm/attach.js';
import type { Answers, Command, Event, Failure } from './types';

/** Where the engine itself stands; see "States" of docs/protocol/engine.md. */
export interface EngineState {
	state: 'waiting' | 'loading' | 'running' | 'attached' | 'broken' | 'ended';
	done?: number;
	total?: number;
	address?: string;
	reset?: boolean;
	why?: string;
}

type Named<E extends Event['event']> = Extract<Event, { event: E }>;

/** An Engine does what it is asked and tells of what changes. */
export interface Engine {
	/** do is answered by the event that answers the command, which may carry a failure. */
	do<C extends Command>(command: C): Promise<Answers[C['do']]>;
	/** on hears the events of one name that answer nothing; the result ends it. */
	on<E extends Event['event']>(name: E, hear: (event: Named<E>) => void): () => void;
	/** onState hears where the engine stands, beginning with now. */
	onState(hear: (state: EngineState) => void): () => void;
	/** put keeps a file to be sent and returns the path that sendFile takes. */
	put(blob: Blob): Promise<string>;
	/** file is what message.file.path names, null when it is not here any more. */
	file(path: string): Promise<File | null>;
	/** erase removes the profile from this browser. */
	erase(): Promise<void>;
	stop(): void;
}

/** failed is the failure that an answer carries. */
export const failed = (answer: object): Failure | undefined => (answer as { failure?: Failure }).failure;

/** A Hearing hands what is told to those who listen. */
export class Hearing {
	#ears = new Map<string, Set<(event: never) => void>>();
	#stateEars = new Set<(state: EngineState) => void>();
	#state: EngineState = { state: 'waiting' };

	tell(event: Event) {
		for (const hear of this.#ears.get(event.event) ?? []) hear(event as never);
	}

	state(now: EngineState) {
		this.#state = now;
		for (const hear of this.#stateEars) hear(now);
	}

	on<E extends Event['event']>(name: E, hear: (event: Named<E>) => void): () => void {
		const all = this.#ears.get(name) ?? new Set();
		this.#ears.set(name, all.add(hear));
		return () => all.delete(hear);
	}

	onState(hear: (state: EngineState) => void): () => void {
		this.#stateEars.add(hear);
		hear(this.#state);
		return () => this.#stateEars.delete(hear);
	}
}

/** startEngine starts this tab's Worker. label is what other devices call this one. */
export function startEngine(label: string): Engine {
	const missing = lacking(globalThis);
	if (missing) return broken(`old: ${missing}`);
	try {
		return started(label);
	} catch (e) {
		return broken(`storage: ${e}`); // a page that may keep nothing has no localStorage even
	}
}

/** lacking names what a browser is too old without, '' for nothing. */
export function lacking(here: object): string {
	const of = (name: string) => (here as Record<string, Record<string, unknown> | undefined>)[name];
	if (!of('WebAssembly')?.instantiateStreaming) return 'WebAssembly';
	for (const name of ['Worker', 'BroadcastChannel', 'indexedDB']) if (!of(name)) return name;
	for (const [name, part] of [['navigator', 'locks'], ['crypto', 'subtle'], ['crypto', 'randomUUID']] as const) if (!of(name)?.[part]) return part;
	// newer than Workers of modules, for which one cannot ask
	return (of('CSS') as { supports?: typeof CSS.supports } | undefined)?.supports?.('color', 'light-dark(#000, #fff)') ? '' : 'light-dark';
}

// broken is an engine that there is none of; nothing it is asked has an answer.
function broken(why: string): Engine {
	const hearing = new Hearing();
	hearing.state({ state: 'broken', why });
	return {
		do: () => new Promise<never>(() => {}),
		on: (name, hear) => hearing.on(name, hear),
		onState: (hear) => hearing.onState(hear),
		put: () => Promise.reject(new Error(why)),
		file: async () => null,
		erase: async () => {},
		stop: () => {},
	};
}

function started(label: string): Engine {
	const hearing = new Hearing();
	const port = attach({
		tell: (event: Event) => hearing.tell(event),
		state: (state: EngineState) => hearing.state(state),
		label,
		integrity: import.meta.env.ENGINE_HASH as string,
		worker,
	});
	return {
		do: (command) => port.do(command) as never,
		on: (name, hear) => hearing.on(name, hear),
		onState: (hear) => hearing.onState(hear),
		put: (blob) => port.put(blob),
		file: (path) => port.file(path),
		erase: () => port.erase(),
		stop: () => port.stop(),
	};
}

// With Trusted Types, a Worker's address is of a policy: these and no others.
export const workers = ['/engine/engine.js', '/sw.js'] as const;

interface Policy {
	createScriptURL(address: string): string;
}
const factory = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }).trustedTypes;
const rules: Policy = {
	createScriptURL(address) {
		if (!(workers as readonly string[]).includes(address)) throw new TypeError(`not a script of ours: ${address}`);
		return address;
	},
};
const policy = factory?.createPolicy('mirsal', rules) ?? rules;

/** scriptAddress is one of the workers' addresses as the browser trusts it. */
export const scriptAddress = (address: (typeof workers)[number]): string => policy.createScriptURL(address);

const worker = () => new Worker(scriptAddress('/engine/engine.js'), { type: 'module' });
