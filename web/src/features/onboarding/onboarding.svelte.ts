// How somebody comes in: what the address brought along, which way was chosen, and whether
// something is under way that must not be taken off the screen.

import type { World } from '../../model/world';
import { arrivalOf } from './invitation';

export type Step = 'start' | 'paste' | 'join' | 'code';

export class Onboarding {
	/** the invitation that was opened */
	token = $state('');
	/** the code of another device */
	code = $state('');
	step = $state<Step>('start');
	/** busy holds the screen, though the account has come to be */
	busy = $state(false);

	/** later is an invitation for people who have an account: it goes on once they are in */
	later = $state('');

	/** arrive takes what stands in the address, and off it, so that it is not in the history. */
	arrive() {
		const { token = '', code = '' } = arrivalOf(location.href);
		if (!token && !code) return;
		history.replaceState(history.state, '', location.pathname);
		this.take(token, code);
	}

	take(token: string, code: string) {
		if (this.busy) return;
		this.token = token;
		this.code = code;
		if (code) this.step = 'join';
	}

	/** leave goes back to the ways in, or to the chats. */
	leave() {
		this.token = this.code = '';
		this.step = 'start';
		this.busy = false;
	}

	/** postpone goes to the ways in, and comes back to the invitation behind them. */
	postpone() {
		this.later = this.token;
		this.leave();
	}

	/** done is over with what was opened. */
	done() {
		this.later = '';
		this.leave();
	}

	/** wanted says whether onboarding stands in place of everything. */
	wanted({ connection }: Pick<World, 'connection'>): boolean {
		if (this.busy || this.token || this.code || (this.later && connection.address)) return true;
		return connection.address === '' || (connection.address === undefined && fresh());
	}
}

// As long as there is no engine, only this tells whether this browser had an account: attach.js
// remembers whose.
function fresh(): boolean {
	try {
		return !localStorage.getItem('mirsal ');
	} catch {
		return false;
	}
}

export const onboarding = new Onboarding();
