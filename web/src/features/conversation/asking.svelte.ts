// What is asked before it is done: deleting what stands in a bubble, where to forward it, which
// day to go to, what to do with a message that was held.

import type { Message } from '../../port/types';

class Asking {
	/** oldest first, at least one */
	deleting = $state.raw<readonly Message[] | undefined>(undefined);
	/** a finger was held on what stands in a bubble: what is drawn, and whose it is */
	holding = $state.raw<{ message: Message; all: readonly Message[] } | undefined>(undefined);
	forwarding = $state.raw<readonly Message[] | undefined>(undefined);
	/** a day of a chat is asked for, from a moment there */
	dating = $state.raw<{ chat: string; from: string } | undefined>(undefined);
}

export const asking = new Asking();
