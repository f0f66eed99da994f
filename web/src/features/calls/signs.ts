// Signs that only calls have, drawn as those of ui/icons.ts are.

import { icons } from '../../ui/icons';

const crossed = 'M4 3.500l16 17';

export const signs = {
	phone: icons.phone,
	video: icons.video,
	microphone: icons.microphone,
	microphoneOff: `${icons.microphone}${crossed}`,
	videoOff: `${icons.video}${crossed}`,
	screen: 'M3.500 5h17v11h-17zM9 20h6M12 16v4M12 13V8.500M9.500 10.800L12 8.300l2.500 2.500',
	screenOff: `M3.500 5h17v11h-17zM9 20h6M12 16v4${crossed}`,
	picture: 'M3.500 5h17v14h-17zM12 12.500h5.500v3.500H12z',
	devices: icons.settings,
	incoming: 'M17 7L7 17M14.500 17H7V9.500',
	outgoing: 'M7 17L17 7M9.500 7H17v7.500',
	// where the line runs from the right
	incomingBack: 'M7 7l10 10M9.500 17H17V9.500',
	outgoingBack: 'M17 17L7 7M14.500 7H7v7.500',
} as const;

export type SignName = keyof typeof signs;
