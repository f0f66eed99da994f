// What is asked before it is done: deleting what stands in a bubble, where to forward it.

import type { Message } from '../../port/types';

class Asking {
	/** oldest first, at least one */
	deleting = $state.raw<readonly Message[] | undefined>(undefined);
	forwarding = $state.raw<readonly Message[] | undefined>(undefined);
}

export const asking = new Asking();
