package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestTheManualParsesToTheDefaultsAndNamesEveryKey(t *testing.T) {
	var got Config
	md, err := toml.Decode(Manual(), &got)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, Default()) {
		t.Errorf("default.toml says\n%+v\nDefault() says\n%+v", got, Default())
	}
	keys := map[string]reflect.Value{}
	collect(reflect.ValueOf(&got).Elem(), "", keys)
	for k := range keys {
		if !md.IsDefined(strings.Split(k, ".")...) {
			t.Errorf("default.toml does not name %s", k)
		}
	}
	if u := md.Undecoded(); len(u) > 0 {
		t.Errorf("default.toml names %v, which do not exist", u)
	}
	if err := got.check(); err != nil {
		t.Error(err)
	}
}

func TestSettingsGoOverTheFileAndTheFileOverTheDefaults(t *testing.T) {
	path := file(t, "domain = \"example.org\"\ne2ee = \"optional\"\n[archive]\nkeep = \"delivered\"\n[listen]\nops = \"off\"\n")
	cfg, err := Load(path, []string{
		"domain=example.com", "limits.enabled=false", "listen.c2s=127.0.0.1:0", "c2s.require_tls=false",
		"contact.admin=mailto:a@example.org, xmpp:b@example.org", "limits.resumption=2m", "archive.page=1_000",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Domain, want.E2EE, want.Archive.Keep, want.Archive.Page = "example.com", Optional, Keep{Delivered: true}, 1000
	want.Limits.Enabled, want.C2S.RequireTLS = false, false
	want.Limits.Resumption.Duration /= 5
	want.Listen.C2S, want.Listen.HTTPPlain, want.Listen.Ops = "127.0.0.1:0", "127.0.0.1:0", "off"
	want.Contact.Admin = []string{"mailto:a@example.org", "xmpp:b@example.org"}
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got\n%+v\nwant\n%+v", cfg, want)
	}
}

func TestWithoutAddressesOnTheCommandLinePortsStay(t *testing.T) {
	if cfg, err := Load("", []string{"e2ee=optional"}); err != nil || cfg.Listen != Default().Listen {
		t.Error(cfg.Listen, err)
	}
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMistakesAreNamedInOneLine(t *testing.T) {
	for _, c := range []struct {
		file string
		set  string
		want string
	}{
		{set: "limit.stanza=1", want: `did you mean "limits.stanza"`},
		{set: "e2e=optional", want: `did you mean "e2ee"`},
		{set: "nothing.like.it.at.all=1", want: `there is no key "nothing.like.it.at.all"`},
		{set: "e2ee", want: "not key=value"},
		{set: "e2ee=maybe", want: "none of"},
		{set: "limits.enabled=perhaps", want: "neither true nor false"},
		{set: "limits.stanza=many", want: "no whole number"},
		{set: "limits.stanza=100", want: "not between"},
		{set: "limits.resumption=10", want: "no duration"},
		{set: "auth.invitation=90d", want: "auth.invitation: 90d is not between 1h and 30d"},
		{set: "auth.invitation=30m", want: "auth.invitation: 30m is not between 1h and 30d"},
		{set: "archive.page=0", want: "archive.page: 0 is not between 1 and 1000"},
		{set: "archive.page=1001", want: "archive.page: 1001 is not between 1 and 1000"},
		{set: "limits.exempt=here", want: "limits.exempt: \"here\" is no network"},
		{set: "limits.login_delay=1m", want: "1m is not between 0s and 10s"},
		{set: "c2s.write=500ms", want: "500ms is not between 1s and 1h"},
		{set: "archive.keep=0", want: "neither a number of days"},
		{set: "archive.keep=-1", want: "neither a number of days"},
		{set: "archive.keep=1e3", want: "neither a number of days"},
		{set: "archive.keep=99999", want: "neither a number of days"},
		{set: "archive.keep=forever", want: "neither a number of days"},
		{set: "listen.ops=5281", want: "neither host:port nor off"},
		{set: "listen.ops=127.0.0.1:http", want: "no port"},
		{set: "listen.http_plain=0.0.0.0:80", want: "loopback"},
		{set: "c2s.require_tls=false", want: "loopback"},
		{set: "tls.cert=x.pem", want: "go together"},
		{set: "tls.acme=true", want: "the domain is \"localhost\""},
		{file: "domain = \"192.0.2.1\"\n[tls]\nacme = true\n", want: "the domain is \"192.0.2.1\""},
		{file: "domain = \"example.org\"\n[tls]\nacme = true\n", want: "accept them by tls.acme_terms = true"},
		{file: "domain = \"example.org\"\n[tls]\nacme = true\nacme_terms = true\nacme_email = \"me\"\n", want: "no address"},
		{file: "domain = \"example.org\"\n[tls]\nacme = true\nacme_terms = true\ncert = \"a\"\nkey = \"b\"\n", want: "exclude each other"},
		{file: "domain = \"example.org\"\n[tls]\nacme = true\nacme_terms = true\nacme_directory = \"http://ca\"\n", want: "no https://"},
		{file: "domain = \"example.org\"\n[tls]\nacme = true\nacme_terms = true\n[listen]\nhttp = \"off\"\nhttp_plain = \"off\"\n", want: "listen.http"},
		{set: "contact.admin=somebody", want: "no address"},
		{set: "auth.iterations=1", want: "not between"},
		{set: "limits=1", want: "there is no key"},
		{file: "e2 = 1\n", want: `did you mean "e2ee"`},
		{file: "[limits]\nstanzas = 1\n", want: `did you mean "limits.stanza"`},
		{file: "[limits]\nstanza = \"big\"\n", want: `: limits.stanza: "big" is no whole number`},
		{file: "[limits]\nstanza = 1.5\n", want: `limits.stanza: 1.5 is no whole number`},
		{file: "[limits]\nenabled = 1\n", want: `limits.enabled: 1 is neither true nor false`},
		{file: "[limits]\nresumption = 10\n", want: `limits.resumption: "10" is no duration such as`},
		{file: "[limits]\nexempt = \"::1\"\n", want: `limits.exempt: "::1" is no list`},
		{file: "[limits]\nexempt = [1]\n", want: `limits.exempt: 1 is no text`},
		{file: "[limits.stanza]\nbig = true\n", want: `limits.stanza: a section is no whole number`},
		{file: "limits = 5\n", want: `limits: 5 is no section`},
		{file: "domain = true\n", want: `domain: true is no text`},
		{file: "[archive]\nkeep = true\n", want: `archive.keep: true is no text`},
		{file: "domain = \n", want: "line 1"},
	} {
		path, sets := "", []string{c.set}
		if c.file != "" {
			path, sets = file(t, c.file), nil
		}
		_, err := Load(path, sets)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s%s: %v, want %s", c.file, c.set, err, c.want)
		}
	}
	if _, err := Load("/nowhere/x.toml", nil); err == nil || strings.Count(err.Error(), "/nowhere/x.toml") != 1 {
		t.Error(err)
	}
}
