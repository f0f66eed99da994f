import type { Invitation } from './invitation';

/** calledOf is what to call who invites, '' for nobody. */
export const calledOf = ({ called, from }: Invitation): string => called || from?.split('@')[0] || '';
