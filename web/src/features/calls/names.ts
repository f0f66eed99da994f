import { shown } from '../../model/contacts.svelte';
import type { World } from '../../model/world';
import type { Call } from '../../port/types';
import { plain } from '../../ui/bidi';

/** nameOf is what somebody is called here. */
export const nameOf = (w: World, address: string): string => plain(w.chats.of(address)?.name ?? shown(w.contacts.of(address) ?? { address }));

/** calledOf is whom a call is with: of a stranger who has a link, nothing but the address is known. */
export const calledOf = (w: World, call: Pick<Call, 'chat' | 'link'>): string => (call.link && w.contacts.of(call.chat)?.state !== 'contact' ? call.chat : nameOf(w, call.chat));
