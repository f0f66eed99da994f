package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"mirsal/internal/certs"
)

// answers are what DNS said, each asked once.
type answers struct {
	hosts map[string]hosts
	srv   map[string]srv
}

type hosts struct {
	addrs []string
	err   error
}

type srv struct {
	list []*net.SRV
	err  error
}

// ask asks all questions at once, within patience.
func (e *exam) ask(ctx context.Context, names, services []string, domain string) answers {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a := answers{map[string]hosts{}, map[string]srv{}}
	var mu sync.Mutex // guards a
	var run sync.WaitGroup
	for _, name := range names {
		run.Go(func() {
			addrs, err := e.LookupHost(ctx, name)
			mu.Lock()
			defer mu.Unlock()
			a.hosts[name] = hosts{addrs, err}
		})
	}
	for _, s := range services {
		run.Go(func() {
			_, list, err := e.LookupSRV(ctx, s, "tcp", domain)
			mu.Lock()
			defer mu.Unlock()
			a.srv[s] = srv{list, err}
		})
	}
	run.Wait()
	return a
}

// absent tells an answer "there is none" from no answer.
func absent(err error) bool {
	var d *net.DNSError
	return errors.As(err, &d) && d.IsNotFound
}

// dns looks for the records by which clients find the server.
func (e *exam) dns(ctx context.Context) []Finding {
	if e.isLocal() {
		return []Finding{{"dns.needed", "", OK, "No records are needed for " + e.cfg.Domain + ".", ""}}
	}
	domain := certs.ASCII(e.domain)
	services := []string{"conference." + domain, "upload." + domain}
	a := e.ask(ctx, append(services, domain), []string{"xmpp-client", "xmpps-client"}, domain)
	if err := a.silence(); err != nil {
		return []Finding{{"dns.resolver", "", Warning, "DNS cannot be asked from here, so its records were not looked at.", "Run this command again where there is a network. What was tried said: " + short(err)}}
	}
	list := append(e.domainRecord(domain, a), e.srvRecords(domain, a)...)
	return append(list, serviceRecords(services, a)...)
}

// silence is an error when nothing was answered at all.
func (a answers) silence() (err error) {
	for _, h := range a.hosts {
		if h.err == nil || absent(h.err) {
			return nil
		}
		err = h.err
	}
	for _, s := range a.srv {
		if s.err == nil || absent(s.err) {
			return nil
		}
	}
	return err
}

func short(err error) string {
	var d *net.DNSError
	if errors.As(err, &d) {
		return d.Err + "."
	}
	return err.Error() + "."
}

// domainRecord is about the domain's own addresses.
func (e *exam) domainRecord(domain string, a answers) []Finding {
	h := a.hosts[domain]
	if len(h.addrs) == 0 {
		f := Finding{"dns.domain", "", Problem, "DNS knows no address of " + domain + ".", "Add an A record (and AAAA) for " + domain + " with this machine's public address."}
		if h.err != nil && !absent(h.err) {
			f.Level, f.Text, f.Remedy = Warning, "DNS did not say whether "+domain+" has an address.", "Try again later. It said: "+short(h.err)
		} else if !e.cfg.TLS.ACME && elsewhere(a) {
			f.Level, f.Text = Notice, f.Text[:len(f.Text)-1]+", but SRV records lead clients to another name."
			f.Remedy = "That is enough for clients by XMPP. Browsers need the address."
		}
		return []Finding{f}
	}
	slices.Sort(h.addrs)
	shown := strings.Join(h.addrs[:min(len(h.addrs), 4)], ", ")
	mine := e.Addresses()
	for _, s := range h.addrs {
		if ip, err := netip.ParseAddr(s); err == nil && slices.Contains(mine, ip.Unmap()) {
			return []Finding{{"dns.domain", "", OK, domain + " is " + shown + ", an address of this machine.", ""}}
		}
	}
	return []Finding{{"dns.domain", "", Notice, domain + " is " + shown + ", which is no address of this machine.",
		"That is right behind a router or proxy that leads the ports here; else correct the record."}}
}

func elsewhere(a answers) bool {
	return len(a.srv["xmpp-client"].list)+len(a.srv["xmpps-client"].list) > 0
}

// srvRecords compares the SRV records with the listeners.
// RFC 6120 §3.2.1, XEP-0368 §3
func (e *exam) srvRecords(domain string, a answers) (list []Finding) {
	for _, s := range []struct {
		service, listener string
		usual             int // where clients look without a record; 0 for nowhere
	}{{"xmpp-client", "c2s", 5222}, {"xmpps-client", "c2s-tls", 0}} {
		var port int
		for _, l := range e.listeners() {
			if l.name == s.listener {
				port = l.port
			}
		}
		list = append(list, srvRecord(s.service, s.listener, domain, port, s.usual, a))
	}
	return list
}

func srvRecord(service, listener, domain string, port, usual int, a answers) Finding {
	name := "_" + service + "._tcp." + domain
	record := fmt.Sprintf("%s. IN SRV 0 5 %d %s.", name, port, domain)
	f := Finding{Check: "dns." + service, Level: OK}
	found := a.srv[service]
	targets, ports := describe(found.list)
	switch {
	case len(found.list) == 0 && found.err != nil && !absent(found.err):
		return f.be(Warning, "DNS did not answer for "+name+".", "Try again later. It said: "+short(found.err))
	case len(found.list) == 0 && port == 0:
		return f.be(OK, "There is no "+name+", and no listener "+listener+" that it could name.", "")
	case len(found.list) == 0 && port == usual:
		return f.be(OK, fmt.Sprintf("There is no %s; clients then try port %d of %s, which is right.", name, usual, domain), "")
	case len(found.list) == 0 && usual != 0:
		return f.be(Problem, fmt.Sprintf("Clients look on port %d of %s, but %s listens on %d.", usual, domain, listener, port), "Add the record "+record)
	case len(found.list) == 0:
		return f.be(Notice, "There is no "+name+"; clients do not find the port with direct TLS, and use STARTTLS.", "For a quicker start and networks that break STARTTLS, add the record "+record)
	case len(found.list) == 1 && found.list[0].Target == ".":
		return f.be(Warning, name+" says that the service is not offered.", "Remove it, or add instead: "+record)
	case port == 0:
		return f.be(Warning, fmt.Sprintf("%s leads to %s, but %s is off or its port is not fixed.", name, targets, listener), "Remove the record, or give listen."+strings.ReplaceAll(listener, "-", "_")+" that port.")
	case !slices.Contains(ports, port):
		return f.be(Warning, fmt.Sprintf("%s leads to %s, but %s listens on %d.", name, targets, listener, port), "If nothing leads that port to this one, correct the record: "+record)
	}
	return f.be(OK, name+" leads to "+targets+".", "")
}

func (f Finding) be(l Level, text, remedy string) Finding {
	f.Level, f.Text, f.Remedy = l, text, remedy
	return f
}

func describe(list []*net.SRV) (targets string, ports []int) {
	var all []string
	for _, s := range list {
		all = append(all, fmt.Sprintf("%s:%d", strings.TrimSuffix(s.Target, "."), s.Port))
		ports = append(ports, int(s.Port))
	}
	return strings.Join(all[:min(len(all), 4)], ", "), ports
}

// serviceRecords are about the names of rooms and uploads.
func serviceRecords(services []string, a answers) (list []Finding) {
	for _, name := range services {
		f := Finding{Check: "dns." + name[:strings.IndexByte(name, '.')], Level: OK, Text: name + " is known."}
		if len(a.hosts[name].addrs) == 0 {
			f = f.be(Notice, "DNS knows no address of "+name+".", "Clients of this server do not need it. Other servers will: then add a CNAME or address record that leads where the domain leads.")
		}
		list = append(list, f)
	}
	return list
}
