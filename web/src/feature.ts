// A Feature is a folder of features/ with what it adds to the screen. src/app.ts lists
// them in their order; nothing else knows of them, and they do not know of each other.

import type { Component } from 'svelte';
import type { World } from './model/world';
import type { Chat, Message } from './port/types';
import type { IconName } from './ui/icons';

/** A View is a component, or how to fetch it when it is needed for the first time. */
export type View<P extends object = Record<string, never>> = { now: Component<P> } | { later: () => Promise<{ default: Component<P> }> };

/** An Action is a line of a menu. */
export interface Action {
	label: string;
	icon: IconName;
	run: () => void;
	/** it destroys something */
	danger?: boolean;
}

export interface Feature {
	name: string;
	/** start is called once, when the World is there */
	start?: (world: World) => void;
	/** gate stands in place of everything while it is wanted: signing in, loading, failure */
	gate?: { when: (world: World) => boolean; view: View };
	/** found stands under the chats that are looked for; others says that there are such */
	found?: View<{ words: string; others: boolean }>;
	/** notice is a slim line above the chat list; all that are wanted stand there */
	notice?: { when: (world: World) => boolean; view: View };
	/** list is the pane of chats, main the pane of one conversation, empty what is there without one */
	list?: View;
	main?: View<{ chat: string }>;
	empty?: View;
	/** composer stands under the conversation */
	composer?: View<{ chat: string }>;
	/** panels open beside a conversation by route.show(name) */
	panels?: Record<string, View<{ chat: string }>>;
	/** pages open in place of the chat list by route.turn(name) */
	pages?: Record<string, View>;
	/** banner stands under a conversation's head while something there is to be decided */
	banner?: { when: (world: World, chat: Chat) => boolean; view: View<{ chat: string }> };
	/** instead stands in place of the composer while one cannot write there */
	instead?: { when: (world: World, chat: Chat) => boolean; view: View<{ chat: string }> };
	/** line is drawn in place of one of the engine's own lines in a conversation (message.notice) */
	line?: { when: (message: Message) => boolean; view: View<{ message: Message }> };
	/** part is drawn in a bubble, above the text, for the messages it wants: files */
	part?: { when: (message: Message) => boolean; view: View<{ message: Message }> };
	/** album is drawn in a bubble in place of its parts where several pictures were sent at once */
	album?: View<{ messages: readonly Message[] }>;
	/** under stands below a bubble: what is to be known of that message */
	under?: { when: (message: Message) => boolean; view: View<{ message: Message }> };
	/** tools stand in the composer: attach, voice */
	tools?: View<{ chat: string }>;
	/** speak stands in place of the composer's send button while nothing is written */
	speak?: View<{ chat: string }>;
	/** above is a bar over all panes, which make room for it */
	above?: { when: (world: World) => boolean; view: View };
	/** over stands over everything while it is wanted: a viewer, a player */
	over?: { when: (world: World) => boolean; view: View };
	/** who stands under a chat's name in its head, while nobody writes and nobody is said to be here */
	who?: { when: (world: World, chat: Chat) => boolean; view: View<{ chat: string }> };
	/** top stands in a conversation's head, before its menu: the lock, calls */
	top?: View<{ chat: string }>;
	appActions?: (world: World) => Action[];
	chatActions?: (world: World, chat: Chat) => Action[];
	/** all are the messages of the bubble that this one stands for: pictures that were sent at once, a file and its caption */
	messageActions?: (world: World, message: Message, all: readonly Message[]) => Action[];
}
