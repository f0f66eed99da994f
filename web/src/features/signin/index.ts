// For people who have an address and a password already. Who was invited comes in by
// onboarding, whose gate stands before this one.

import type { Feature } from '../../feature';
import SignIn from './SignIn.svelte';

export const signin: Feature = {
	name: 'signin',
	gate: { when: ({ connection }) => connection.address === '', view: { now: SignIn } },
};
