// From an invitation to the first chat.

import type { World } from '../../model/world';
import { failed } from '../../port/engine';
import type { Portrait } from '../../ui/portrait';
import { comeByLink, type Invitation } from './invitation';

export interface Wish {
	name: string;
	/** the short name that was chosen; '' lets the engine make one */
	short: string;
	picture?: Portrait;
}

export type Outcome = { is: 'in'; chat?: string } | { is: 'gone' } | { is: 'name'; suggest?: string } | { is: 'offline' } | { is: 'failed' };

export async function signUp({ engine, connection }: Pick<World, 'engine' | 'connection'>, invitation: Invitation, wish: Wish): Promise<Outcome> {
	const { token, domain, from, contact } = invitation;
	const done = await engine.do({ do: 'signUp', invitation: token, domain, name: wish.short || undefined, displayName: wish.name });
	const failure = failed(done);
	switch (failure?.code) {
		case undefined:
			break;
		case 'missing':
			return { is: 'gone' };
		case 'taken':
		case 'bad-name':
			return { is: 'name', suggest: done.suggest };
		case 'unreachable':
			return { is: 'offline' };
		default:
			return { is: 'failed' };
	}
	connection.opened(true);
	// who comes in is not held up by the picture; it is asked for again nowhere if it fails
	if (wish.picture) void engine.do({ do: 'setProfile', ...wish.picture });
	const { room } = invitation;
	if (room && !(await comeByLink(engine, room, token))) return { is: 'in', chat: room.address };
	return { is: 'in', chat: contact ? (done.chat ?? from) : undefined };
}
