//go:build !js

package conn

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
)

// target is an address to try.
type target struct {
	addr   string
	direct bool
}

// mostTargets is how many addresses of a look-up are tried.
const mostTargets = 8

// lookUp finds where a domain's server is: both kinds of records in one order, by
// their priority; without any, the domain itself.
// RFC 6120 §3.2.1, XEP-0368 §3
func (d *TCP) lookUp(ctx context.Context, domain string) ([]target, error) {
	r := d.Resolver
	if r == nil {
		r = net.DefaultResolver
	}
	type record struct {
		*net.SRV
		direct bool
	}
	var all []record
	none := false
	for _, service := range []string{"xmpps-client", "xmpp-client"} {
		_, list, err := r.LookupSRV(ctx, service, "tcp", domain)
		if err != nil && ctx.Err() != nil {
			return nil, &Refusal{Reason: Unreachable, Words: "the server's address could not be looked up", Err: err}
		}
		for _, s := range list {
			if s.Target == "." { // RFC 2782: the service is not offered
				none = true
				continue
			}
			all = append(all, record{s, service == "xmpps-client"})
		}
	}
	if len(all) == 0 && none {
		return nil, &Refusal{Reason: HostUnknown, Words: "the domain says that it has no messaging server"}
	}
	if len(all) == 0 {
		return []target{{addr: net.JoinHostPort(domain, "5222")}}, nil
	}
	slices.SortStableFunc(all, func(a, b record) int { return cmp.Compare(a.Priority, b.Priority) })
	var out []target
	for _, s := range all[:min(len(all), mostTargets)] {
		host := strings.TrimSuffix(s.Target, ".")
		out = append(out, target{net.JoinHostPort(host, strconv.Itoa(int(s.Port))), s.direct})
	}
	return out, nil
}
