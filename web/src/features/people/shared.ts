import { failed, type Engine } from '../../port/engine';
import type { Chat } from '../../port/types';

/** shared are the groups that somebody is in as well. */
export async function shared(engine: Pick<Engine, 'do'>, chats: readonly Chat[], address: string): Promise<Chat[]> {
	const rooms = chats.filter((c) => c.room);
	const lists = await Promise.all(rooms.map((c) => engine.do({ do: 'listMembers', room: c.address })));
	return rooms.filter((_, i) => !failed(lists[i]!) && (lists[i]!.members ?? []).some((x) => x.address === address && x.role !== 'none'));
}
