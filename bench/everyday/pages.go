package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"mirsal/bench/measure"
)

// pages writes a history and reads it page by page, forwards.
func pages(ctx context.Context, o *options) (map[string]any, error) {
	writer, err := o.login(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer writer.Kill()
	run := fmt.Sprint(time.Now().UnixNano())
	for i := range o.messages {
		text := fmt.Sprintf("<message to='user1@%s' type='chat' id='%s-%d'><body>%s</body></message>", o.domain, run, i, strings.Repeat("x", 700))
		if err := writer.Send(text); err != nil {
			return nil, err
		}
		if i%100 == 99 { // the answer comes behind the messages
			if _, err := ask(ctx, writer, fmt.Sprint("s", i), o.domain, "get", "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
				return nil, err
			}
		}
	}
	time.Sleep(3 * time.Second) // what a server writes later
	reader, err := o.login(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer reader.Kill()
	m := map[string]any{"page": o.page}
	got, asked, after := 0, 0, ""
	var took []time.Duration
	a := o.usage()
	for {
		begin := time.Now()
		n, last, complete, err := o.fetch(ctx, reader, asked, after)
		if err != nil {
			return nil, err
		}
		took = append(took, time.Since(begin))
		got, asked, after = got+n, asked+1, last
		if complete || n == 0 {
			break
		}
	}
	b := o.usage()
	m["messages"], m["pages"] = got, asked
	m["page_p50_ms"], m["page_p99_ms"] = measure.Ms(measure.Quantile(took, 0.5)), measure.Ms(measure.Quantile(took, 0.99))
	spent(m, "page", asked, a, b)
	return m, nil
}
