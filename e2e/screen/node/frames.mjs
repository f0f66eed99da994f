// What a page's main thread and its frames were busy with, by Chromium's own trace.

/** A Trace is of one page, from now until end(). */
export class Trace {
	static async begin(person) {
		const t = new Trace();
		t.cdp = await person.context.newCDPSession(person.page);
		t.events = [];
		t.cdp.on('Tracing.dataCollected', ({ value }) => t.events.push(...value.filter(wanted).map(brief)));
		await t.cdp.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { recordMode: 'recordContinuously', includedCategories: ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'devtools.timeline.frame', 'disabled-by-default-devtools.timeline.frame', '__metadata'] } });
		return t;
	}

	/** end gives how long the frames took, in ms, and what the main thread did. */
	async end() {
		const over = new Promise((resolve) => this.cdp.once('Tracing.tracingComplete', resolve));
		await this.cdp.send('Tracing.end');
		await over;
		await this.cdp.detach();
		return summary(this.events);
	}
}

const names = new Set(['DrawFrame', 'DroppedFrame', 'BeginFrame', 'RunTask', 'ThreadControllerImpl::RunTask', 'thread_name', 'MajorGC', 'MinorGC', 'Layout', 'UpdateLayoutTree', 'Paint', 'FunctionCall']);
const wanted = (e) => names.has(e.name);
const brief = ({ name, ts, dur, pid, tid, args }) => ({ name, ts, dur, pid, tid, args: name === 'thread_name' ? args : undefined });

function summary(events) {
	const main = new Set(events.filter((e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain').map((e) => `${e.pid} ${e.tid}`));
	const drawn = events.filter((e) => e.name === 'DrawFrame').map((e) => e.ts / 1000).sort((a, b) => a - b);
	const tasks = events.filter((e) => /RunTask/.test(e.name) && main.has(`${e.pid} ${e.tid}`)).map((e) => e.dur / 1000);
	const of = (name) => round(events.filter((e) => e.name === name && main.has(`${e.pid} ${e.tid}`)).reduce((sum, e) => sum + (e.dur ?? 0) / 1000, 0));
	return {
		...intervals(drawn), dropped: events.filter((e) => e.name === 'DroppedFrame').length,
		main_busy_ms: round(tasks.reduce((a, b) => a + b, 0)), longest_task_ms: round(Math.max(0, ...tasks)), tasks_over_50_ms: tasks.filter((t) => t > 50).length,
		script_ms: of('FunctionCall'), style_ms: of('UpdateLayoutTree'), layout_ms: of('Layout'), paint_ms: of('Paint'), gc_ms: round(of('MajorGC') + of('MinorGC')),
	};
}

/** intervals are between the moments of frames, in ms. */
export function intervals(moments) {
	const all = moments.slice(1).map((t, i) => t - moments[i]).sort((a, b) => a - b);
	const at = (share) => round(all[Math.min(all.length - 1, Math.floor(all.length * share))] ?? 0);
	const over = (ms) => round((100 * all.filter((x) => x > ms).length) / Math.max(1, all.length), 2);
	return { frames: moments.length, p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99), longest_ms: round(all.at(-1) ?? 0), over_17_percent: over(17.5), over_33_percent: over(34) };
}

export const round = (x, digits = 1) => Number(x.toFixed(digits));

/** held is what a page holds after a collection: its heap in MB, its nodes. */
export async function held(person) {
	const cdp = await person.context.newCDPSession(person.page);
	await cdp.send('HeapProfiler.enable');
	await cdp.send('HeapProfiler.collectGarbage');
	const { usedSize } = await cdp.send('Runtime.getHeapUsage');
	await cdp.detach();
	return { heap_mb: round(usedSize / 1e6), nodes: await person.page.evaluate(() => document.getElementsByTagName('*').length) };
}

/** inside has a page's Worker tell of its program's memory, in MB: to be called before the
 * program comes, which waits for this. */
export async function inside(person) {
	const program = /\/engine\/engine\.wasm/;
	const began = new Promise((resolve) => {
		person.page.on('worker', async (worker) => {
			if (!worker.url().includes('/engine/')) return;
			await worker.evaluate(() => {
				const before = WebAssembly.instantiateStreaming;
				WebAssembly.instantiateStreaming = async (...all) => {
					const it = await before(...all);
					globalThis.memoryOfProgram = it.instance.exports.mem;
					return it;
				};
			});
			resolve(worker);
		});
	});
	await person.context.route(program, async (route) => {
		await began;
		await route.continue();
	});
	return async () => ({ engine_mb: round((await (await began).evaluate(() => globalThis.memoryOfProgram.buffer.byteLength)) / 1e6) });
}
