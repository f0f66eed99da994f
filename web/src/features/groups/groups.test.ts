import { flushSync } from 'svelte';
import { expect, test } from 'vitest';
import type { World } from '../../model/world';
import { FakeEngine } from '../../port/fake';
import type { Chat, Member, Message } from '../../port/types';
import { Group, inARow } from './group.svelte';
import { Standing } from './invited.svelte';
import { begun, spoken } from './mention';

const me = 'me@x';
const room = 'r@conference.x';

async function group(role: string, members: Member[]) {
	const engine = new FakeEngine({
		roomInfo: () => ({ event: 'roomDetails', room, role, members: members.length }),
		listMembers: () => ({ event: 'memberList', room, members }),
	});
	const world = { engine, contacts: { of: () => undefined }, connection: { address: me } } as unknown as World;
	const g = new Group(world, room);
	await g.load();
	engine.asked.length = 0;
	return { g, asked: () => engine.asked.map(({ do: what, ...rest }) => [what, (rest as { address?: string }).address]) };
}

test('members stand with oneself first, then those who lead', async () => {
	const { g } = await group('member', [
		{ address: 'b@x', role: 'member' },
		{ address: me, role: 'member' },
		{ address: 'a@x', role: 'member', nick: 'Zed' },
		{ address: 'o@x', role: 'owner' },
	]);
	expect(g.members.map((x) => x.address)).toEqual([me, 'o@x', 'b@x', 'a@x']);
});

test('under the name of a group stand its members, oneself last, each kept apart', async () => {
	const { g } = await group('member', [
		{ address: me, role: 'owner' },
		{ address: 'b@x', role: 'owner', nick: 'Bob\u202E' },
		{ address: 'c@x', role: 'none' },
		{ address: 'a@x', role: 'member' },
	]);
	expect(inARow(g, 'en')).toBe(['a', 'Bob', 'you'].map((name) => `\u2068${name}\u2069`).join(', '));
});

test('the only owner who leaves hands the group over first', async () => {
	const { g, asked } = await group('owner', [
		{ address: me, role: 'owner' },
		{ address: 'a@x', role: 'member', here: true },
		{ address: 'b@x', role: 'admin' },
	]);
	expect(g.successor?.address).toBe('b@x');
	await g.leave();
	expect(asked()).toEqual([['setRole', 'b@x'], ['leaveRoom', room]]);
});

test('nobody is asked to lead where there is another owner', async () => {
	const { g, asked } = await group('owner', [
		{ address: me, role: 'owner' },
		{ address: 'a@x', role: 'owner' },
	]);
	await g.leave();
	expect(asked()).toEqual([['leaveRoom', room]]);
});

test('the last one takes the group along', async () => {
	const { g, asked } = await group('owner', [{ address: me, role: 'owner' }]);
	await g.leave();
	expect(asked()).toEqual([['destroyRoom', undefined]]);
});

const invited = (more: Partial<Chat> = {}): Chat => ({
	address: room, name: 'r', active: '', lock: { state: 'open' },
	last: { id: '1', chat: room, sender: room, time: '', delivery: 'received', lock: { state: 'open' }, notice: 'invited', params: [room, 'a@x', 'r'] } as Message,
	...more,
});

test('an invitation is to be answered only where one is no member yet', async () => {
	for (const [answer, want] of [
		[{ event: 'roomDetails', room, failure: { code: 'no-such-chat', text: '' } }, true],
		[{ event: 'roomDetails', room, role: '' }, true],
		[{ event: 'roomDetails', room, role: 'member' }, false],
	] as const) {
		const engine = new FakeEngine({ roomInfo: () => answer });
		const standing = new Standing();
		standing.start({ engine });
		expect(standing.asked(invited())).toBe(false);
		await Promise.resolve();
		await Promise.resolve();
		flushSync();
		expect(standing.asked(invited())).toBe(want);
		expect(standing.asked(invited({ joined: true }))).toBe(false);
		engine.tell({ event: 'chatChanged', chat: invited({ joined: true }) });
		expect(standing.asked(invited())).toBe(false);
		expect(engine.asked.length).toBe(1);
	}
});

test('one is out of a group by what others did, not while there is no connection', () => {
	const standing = new Standing();
	const out = (notice: string, params?: string[]) => invited({ room: true, last: { ...invited().last!, notice, params } });
	expect(standing.over(out('removed'))).toBe(true);
	expect(standing.over(out('destroyed'))).toBe(true);
	expect(standing.over(out('removed', ['a@x', '1']))).toBe(false); // a device
	expect(standing.over(out('member-added', ['a@x']))).toBe(false);
	expect(standing.over({ ...out('removed'), joined: true })).toBe(false);
});

test('a name is begun behind an @ and nowhere else', () => {
	expect(begun('@', 1)).toEqual({ at: 0, word: '' });
	expect(begun('hello @sa', 9)).toEqual({ at: 6, word: 'sa' });
	expect(begun('يا @سار', 7)).toEqual({ at: 3, word: 'سار' });
	expect(begun('bob@example', 11)).toBeUndefined();
	expect(begun('@sara hello', 11)).toBeUndefined();
	expect(spoken('hello @sa there', 6, 9, 'Sara Ali')).toEqual({ text: 'hello @Sara Ali there', caret: 16 });
	expect(spoken('@b', 0, 2, 'bob')).toEqual({ text: '@bob ', caret: 5 });
});
