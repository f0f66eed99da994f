import { shown } from '../../model/contacts.svelte';
import type { World } from '../../model/world';
import { plain } from '../../ui/bidi';

/** nameOf is what somebody is called here. */
export const nameOf = (w: World, address: string): string => plain(w.chats.of(address)?.name ?? shown(w.contacts.of(address) ?? { address }));
