package invite

import (
	"bytes"
	_ "embed"
	"html"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/language"

	"mirsal/internal/auth"
)

//go:embed page.html
var layout string

// The kinds of pages.
const (
	kindOpen    = "open"    // an invitation that can be used
	kindGone    = "gone"    // one that cannot
	kindPaced   = "paced"   // too many attempts
	kindBusy    = "busy"    // our fault
	kindWelcome = "welcome" // an account was made
)

// page is what the template draws.
type page struct {
	Kind           string
	W              *words
	Title, Lede    template.HTML
	Server         string // the domain
	Path           string // of the page itself
	URI            template.URL
	Code           bool // there is a QR code
	Apps, MoreApps []platform
	NoAccount      bool // a contact only
	Form           *filled
	Given          string // the one name that can be taken
	Until          string
	Left           int
	Address        string // of the new account
	Browser        string
}

// filled is the form as it came, without passwords.
type filled struct {
	Name, Error string
	Password    bool // the mistake is there
}

// pages draws pages.
type pages struct {
	template *template.Template
	matcher  language.Matcher
	words    []*words // as matcher numbers them
}

func newPages() *pages {
	all := []*words{english(), arabic()}
	var tags []language.Tag
	for _, w := range all {
		tags = append(tags, language.MustParse(w.Lang))
	}
	return &pages{template.Must(template.New("page").Parse(layout)), language.NewMatcher(tags), all}
}

// wordsFor chooses by what the browser asks for, else English.
func (p *pages) wordsFor(r *http.Request) *words {
	accept := r.Header.Get("Accept-Language")
	if len(accept) > 256 {
		return p.words[0]
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return p.words[0]
	}
	_, i, sure := p.matcher.Match(tags...)
	if sure == language.No {
		return p.words[0]
	}
	return p.words[i]
}

// page is one that says what its kind says.
func (f *Feature) page(r *http.Request, kind string) *page {
	w := f.pages.wordsFor(r)
	p := &page{Kind: kind, W: w, Server: f.cfg.Domain.String(), Browser: f.cfg.Browser}
	p.Apps, p.MoreApps = appsFor(r.UserAgent(), w)
	switch kind {
	case kindGone:
		p.Title, p.Lede = fill(w.GoneTitle), fill(w.GoneLede)
	case kindPaced:
		p.Title, p.Lede = fill(w.PacedTitle), fill(w.PacedLede)
	case kindBusy:
		p.Title, p.Lede = fill(w.BusyTitle), fill(w.BusyLede)
	case kindWelcome:
		p.Title, p.Lede = fill(w.WelcomeTitle, p.Server), fill(w.WelcomeLede)
	}
	return p
}

// open is the page of an invitation; form is nil before it was filled in.
func (f *Feature) open(r *http.Request, in *auth.Invitation, room *group, form *filled) *page {
	p := f.page(r, kindOpen)
	w := p.W
	if form == nil {
		form = &filled{Name: in.Name}
	}
	p.Form, p.Given, p.NoAccount = form, in.Name, in.NoAccount
	p.Path, p.Browser = "/invite/"+in.Token, f.inBrowser(in)
	p.URI = template.URL(in.URI) // made by auth, of escaped parts
	p.Code = true
	p.Until = in.Expires.UTC().Format("2006-01-02 15:04") + " UTC"
	p.Left = in.Left()
	switch {
	case room != nil:
		p.Title, p.Lede = fill(w.GroupTitle, room.called()), fill(w.GroupLede)
	case in.NoAccount:
		p.Title, p.Lede = fill(w.ContactTitle, in.From), fill(w.ContactLede, p.Server)
	case in.Circle != "" && in.From != "":
		p.Title, p.Lede = fill(w.FromTitle, in.From, p.Server), fill(w.CircleLede, in.Circle)
	case in.Circle != "":
		p.Title, p.Lede = fill(w.CircleTitle, in.Circle, p.Server), fill(w.CircleLede, in.Circle)
	case in.From != "":
		p.Title, p.Lede = fill(w.FromTitle, in.From, p.Server), fill(w.OpenLede)
	default:
		p.Title, p.Lede = fill(w.OpenTitle, p.Server), fill(w.OpenLede)
	}
	return p
}

func (f *Feature) send(w http.ResponseWriter, r *http.Request, status int, p *page) {
	var b bytes.Buffer
	if err := f.pages.template.Execute(&b, p); err != nil {
		f.cfg.Log.Error("an invitation's page cannot be drawn", "err", err)
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	harden(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", p.W.Lang)
	h.Set("Vary", "Accept-Language, User-Agent")
	if status == http.StatusTooManyRequests {
		h.Set("Retry-After", "60")
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the asker went away
}

// fill puts names into a sentence, each kept apart from it: however it is written,
// it cannot change the direction or the meaning of what stands around it.
func fill(sentence string, names ...string) template.HTML {
	var out strings.Builder
	for i, part := range strings.Split(sentence, "%s") {
		if i > 0 && i <= len(names) {
			out.WriteString("<bdi>" + html.EscapeString(plainName(names[i-1])) + "</bdi>")
		}
		out.WriteString(html.EscapeString(part))
	}
	return template.HTML(out.String())
}

// maxName is how much of a name is shown, in characters.
const maxName = 64

// plainName drops what cannot be seen or turns text round, and cuts.
func plainName(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > maxName {
		s = string(r[:maxName]) + "…"
	}
	return s
}

// platform is a kind of device with the apps for it.
type platform struct {
	Name string
	Apps []app
}

// app is one app and where to get it.
type app struct{ Name, Note, URL string }

// appsFor lists the apps, those for the asker's device apart where it tells.
func appsFor(agent string, w *words) (own, others []platform) {
	all := []struct {
		marks []string // in the browser's name for itself
		platform
	}{
		{[]string{"Android"}, platform{"Android", []app{
			{"Conversations", w.NoteFDroid, "https://f-droid.org/packages/eu.siacs.conversations/"},
			{"Conversations", "Google Play", "https://play.google.com/store/apps/details?id=eu.siacs.conversations"},
		}}},
		{[]string{"iPhone", "iPad"}, platform{"iPhone, iPad", []app{
			{"Monal", "App Store", "https://apps.apple.com/app/monal-xmpp-chat/id317711500"},
			{"Siskin IM", "App Store", "https://apps.apple.com/app/siskin-im/id1153516838"},
		}}},
		{[]string{"Windows"}, platform{"Windows", []app{{"Gajim", "", "https://gajim.org/download/"}}}},
		{[]string{"Macintosh"}, platform{"Mac", []app{
			{"Monal", "App Store", "https://apps.apple.com/app/monal-xmpp-chat/id1637078500"}, {"Gajim", "", "https://gajim.org/download/"},
		}}},
		{[]string{"X11", "Linux"}, platform{"Linux", []app{{"Dino", "", "https://dino.im/#download"}, {"Gajim", "", "https://gajim.org/download/"}}}},
	}
	for _, p := range all {
		if len(own) == 0 && slices.ContainsFunc(p.marks, func(m string) bool { return strings.Contains(agent, m) }) {
			own = append(own, p.platform)
		} else {
			others = append(others, p.platform)
		}
	}
	if len(own) == 0 {
		return others, nil
	}
	return own, others
}
