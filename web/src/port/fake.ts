// An engine for tests: answers by a table, and tells what it is told to tell.

import type { Command, Event } from './types';
import { Hearing, type Engine, type EngineState } from './engine';

type Answering = { [D in Command['do']]?: (command: Extract<Command, { do: D }>) => object };

export class FakeEngine implements Engine {
	readonly asked: Command[] = [];
	#hearing = new Hearing();

	constructor(readonly answers: Answering = {}) {}

	do = async (command: Command): Promise<never> => {
		this.asked.push(command);
		const answer = this.answers[command.do] as ((c: Command) => object) | undefined;
		return (answer?.(command) ?? { event: 'done' }) as never;
	};
	on: Engine['on'] = (name, hear) => this.#hearing.on(name, hear);
	onState: Engine['onState'] = (hear) => this.#hearing.onState(hear);
	tell = (event: Event) => this.#hearing.tell(event);
	state = (state: EngineState) => this.#hearing.state(state);
	put = async () => 'files/1';
	file = async () => null;
	erase = async () => {};
	stop = () => {};
}
