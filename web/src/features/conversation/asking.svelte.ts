// What is asked before it is done: deleting a message, where to forward one.

import type { Message } from '../../port/types';

class Asking {
	deleting = $state.raw<Message | undefined>(undefined);
	forwarding = $state.raw<Message | undefined>(undefined);
}

export const asking = new Asking();
