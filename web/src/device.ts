/** deviceLabel is what other devices call this one: "Firefox on Linux". */
export function deviceLabel(agent: string): string {
	const browser = first(agent, [[/Edg\//, 'Edge'], [/OPR\//, 'Opera'], [/Firefox\//, 'Firefox'], [/Chrom(e|ium)\//, 'Chrome'], [/Safari\//, 'Safari']]);
	const system = first(agent, [[/Android/, 'Android'], [/iPhone|iPad/, 'iOS'], [/Windows/, 'Windows'], [/Mac OS/, 'Mac'], [/Linux/, 'Linux']]);
	return system ? `${browser || 'Browser'} on ${system}` : browser || 'Browser';
}

const first = (agent: string, names: [RegExp, string][]) => names.find(([sign]) => sign.test(agent))?.[1] ?? '';
