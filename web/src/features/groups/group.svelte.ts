// One group as its panel shows it: what it is, and who is in it.

import { m } from '../../i18n';
import { shown } from '../../model/contacts.svelte';
import type { World } from '../../model/world';
import { failed } from '../../port/engine';
import type { Failure, Member, RoomDetails } from '../../port/types';
import { plain } from '../../ui/bidi';

const together = 400; // ms in which what changes is asked for once

type Around = Pick<World, 'engine' | 'contacts' | 'connection'>;

export class Group {
	details = $state.raw<RoomDetails>();
	members = $state.raw<Member[]>([]);
	#world: Around;

	constructor(
		world: Around,
		readonly room: string,
	) {
		this.#world = world;
	}

	/** own is this account's part in it. */
	get own() {
		return this.#world.connection.address ?? '';
	}

	/** follow keeps it up to date until what it returns is called. */
	follow(): () => void {
		const { engine } = this.#world;
		void this.load();
		let timer: ReturnType<typeof setTimeout> | undefined;
		const soon = () => (timer ??= setTimeout(() => ((timer = undefined), void this.#list()), together));
		const ends = [
			engine.on('roomDetails', (d) => d.room === this.room && void this.load()),
			engine.on('membersChanged', ({ room }) => room === this.room && void soon()),
			engine.on('chatChanged', ({ chat }) => chat.address === this.room && void soon()),
		];
		return () => {
			clearTimeout(timer);
			for (const end of ends) end();
		};
	}

	/** watch keeps who is in it up to date, and no more, until what it returns is called. */
	watch(): () => void {
		const { engine } = this.#world;
		void this.#list();
		let timer: ReturnType<typeof setTimeout> | undefined;
		const soon = (room: string) => {
			if (room === this.room) timer ??= setTimeout(() => ((timer = undefined), void this.#list()), together);
		};
		const ends = [engine.on('membersChanged', ({ room }) => soon(room)), engine.on('roomDetails', ({ room }) => soon(room))];
		return () => {
			clearTimeout(timer);
			for (const end of ends) end();
		};
	}

	async load() {
		const answer = await this.#world.engine.do({ do: 'roomInfo', room: this.room });
		if (!failed(answer)) this.details = answer;
		await this.#list();
	}

	async #list() {
		const answer = await this.#world.engine.do({ do: 'listMembers', room: this.room });
		if (!failed(answer)) this.members = sorted(answer.members ?? [], this.own, (x) => this.nameOf(x));
	}

	/** nameOf is what a member is called: by oneself, by themselves, in the group. */
	readonly nameOf = ({ address = '', nick }: Member): string => {
		const contact = this.#world.contacts.of(address);
		return contact?.name || contact?.nick || nick || shown({ address });
	};

	/** successor is who is to lead the group when its only owner leaves; undefined where there is another owner, or nobody. */
	get successor(): Member | undefined {
		const others = this.members.filter((x) => x.address && x.address !== this.own && x.role !== 'none');
		if (this.details?.role !== 'owner' || others.some((x) => x.role === 'owner')) return undefined;
		return others.find((x) => x.role === 'admin') ?? others.find((x) => x.here) ?? others[0];
	}

	/** alone says that nobody would be left. */
	get alone() {
		return this.members.every((x) => x.address === this.own || x.role === 'none');
	}

	/** leave hands the group over first where that is needed; the last one takes it along. */
	async leave(): Promise<Failure | undefined> {
		const { engine } = this.#world;
		if (this.details?.role === 'owner' && this.alone) return failed(await engine.do({ do: 'destroyRoom', room: this.room }));
		const next = this.successor?.address;
		const failure = next ? failed(await engine.do({ do: 'setRole', room: this.room, address: next, role: 'owner' })) : undefined;
		return failure ?? failed(await engine.do({ do: 'leaveRoom', address: this.room }));
	}
}

const most = 30; // names in a row: for more there is no room

/** inARow are the names of who is in a group, oneself last. */
export function inARow({ members, own, nameOf }: Pick<Group, 'members' | 'own' | 'nameOf'>, locale: string): string {
	const others = members.filter((x) => x.address !== own && x.role !== 'none');
	const names = others.map((x) => plain(nameOf(x))).sort((a, b) => a.localeCompare(b, locale));
	const all = [...names.slice(0, most), ...(members.some((x) => x.address === own) ? [m.group_you()] : [])];
	return all.map((name) => `\u2068${name}\u2069`).reduce((before, name) => (before ? m.group_names({ before, next: name }) : name), '');
}

const rank: Record<string, number> = { owner: 0, admin: 1, member: 2 };

// oneself first, then who leads, then by name
function sorted(members: Member[], own: string, name: (x: Member) => string): Member[] {
	const key = (x: Member) => (x.address === own ? -1 : (rank[x.role] ?? 3));
	return [...members].sort((a, b) => key(a) - key(b) || name(a).localeCompare(name(b)));
}
