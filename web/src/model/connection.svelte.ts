// Where the engine and its connection stand, and whose account this is.

import type { Engine, EngineState } from '../port/engine';
import type { Failure, SignIn, Status } from '../port/types';
import { failed } from '../port/engine';

export class Connection {
	/** the engine itself: loading, running … */
	engine = $state.raw<EngineState>({ state: 'waiting' });
	/** its connection: offline, connecting, online or refused */
	status = $state.raw<Status>({ event: 'status', state: 'offline' });
	/** whose account this is; '' is nobody's, undefined is not known yet */
	address = $state<string | undefined>(undefined);

	/** away is that the device itself knows of no network */
	away = $state(navigator.onLine === false);

	/** newcomer says that the account was made on this page */
	newcomer = false;

	#port: Engine;
	#attached = false; // to another tab's engine, of whose account nothing was heard yet
	#entering = false; // signing in where nobody is yet: until it is answered there is no account
	#open = new Set<(address: string) => void>();

	constructor(port: Engine) {
		this.#port = port;
		port.onState((state) => this.#engineIs(state));
		port.on('status', (status) => this.#statusIs(status));
		addEventListener('offline', () => (this.away = true));
		addEventListener('online', () => this.#back());
	}

	/** ready says that commands are answered by an engine now. */
	get ready() {
		return this.engine.state === 'running' || this.engine.state === 'attached';
	}

	get online() {
		return this.status.state === 'online' && !this.away;
	}

	/** onOpen hears each time that an engine has an account open: all is to be asked anew. */
	onOpen(hear: (address: string) => void) {
		this.#open.add(hear);
	}

	/** was tells whose account it was when the screen was last seen. */
	was(address: string) {
		this.address ??= address;
	}

	/** opened is for who has an account now by other ways than signIn: all is asked of it anew. A newcomer's was just made. */
	opened(anew = false) {
		this.newcomer = anew;
		if (this.address) this.#account(this.address, true);
	}

	/** signIn is undefined when it went well. */
	async signIn(account: Omit<SignIn, 'do' | 'ref'>): Promise<Failure | undefined> {
		this.#entering = !this.address;
		const failure = failed(await this.#port.do({ do: 'signIn', ...account }));
		this.#entering = false;
		if (!failure) this.#account(account.address, true);
		return failure;
	}

	#back() {
		this.away = false;
		void this.#port.do({ do: 'attend', here: document.visibilityState === 'visible' });
	}

	#engineIs(state: EngineState) {
		this.engine = state;
		if (state.state === 'running') this.#account(state.address ?? '', true);
		if (state.state === 'attached') void this.#attach();
	}

	#statusIs(status: Status) {
		if (this.#entering && status.state === 'refused') return; // the answer says why, to who has typed it
		this.status = status;
		if (!status.address || this.#entering) return;
		this.#account(status.address, this.#attached);
		this.#attached = false;
	}

	// an engine without an account may have no status to tell
	async #attach() {
		this.#attached = true;
		const answer = await this.#port.do({ do: 'listChats' });
		if (failed(answer)?.code === 'not-signed-in') this.#account('', true);
	}

	#account(address: string, anew: boolean) {
		if (!anew && address === this.address) return;
		this.address = address;
		for (const hear of this.#open) hear(address);
	}
}
