package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"mirsal/internal/store"
)

// MostMembers is how many accounts a circle can have.
const MostMembers = 1000

// maxCircle is how long a circle's name can be, in characters.
const maxCircle = 64

// Circle is a named group of accounts that are contacts of each other.
type Circle struct {
	Name    string `json:"name"`
	Members int    `json:"members"`
}

// CircleName normalises the name of a circle: printable characters without a
// slash, 1 to 64. ErrCircle.
func CircleName(s string) (string, error) {
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	strange := func(r rune) bool { return r == '/' || !unicode.IsPrint(r) || r == utf8.RuneError }
	if s == "" || utf8.RuneCountInString(s) > maxCircle || strings.ContainsFunc(s, strange) {
		return "", fmt.Errorf("%w: %q", ErrCircle, s)
	}
	return s, nil
}

// Circles lists the circles that have members, by name.
func (a *Auth) Circles(ctx context.Context) ([]Circle, error) {
	items, err := a.circles.Scan(ctx, owner, store.Range{})
	if err != nil {
		return nil, fmt.Errorf("auth: circles: %w", err)
	}
	var all []Circle
	for _, it := range items {
		circle, _, _ := strings.Cut(it.Key, "/")
		if len(all) == 0 || all[len(all)-1].Name != circle {
			all = append(all, Circle{Name: circle})
		}
		all[len(all)-1].Members++
	}
	slices.SortFunc(all, func(x, y Circle) int { return cmp.Compare(x.Name, y.Name) })
	return all, nil
}

// Members lists the accounts of a circle, by name; of no circle, none.
func (a *Auth) Members(ctx context.Context, circle string) ([]string, error) {
	circle, err := CircleName(circle)
	if err != nil {
		return nil, err
	}
	items, err := a.circles.Scan(ctx, owner, store.Range{Prefix: circle + "/"})
	if err != nil {
		return nil, fmt.Errorf("auth: circle: %w", err)
	}
	var names []string
	for _, it := range items {
		names = append(names, it.Key[len(circle)+1:])
	}
	return names, nil
}

// Join puts an account into a circle; its members become its contacts soon after,
// also when the server stops in between. ErrNotFound, ErrCircle.
func (a *Auth) Join(ctx context.Context, circle, name string) error {
	circle, err := CircleName(circle)
	if err != nil {
		return err
	}
	if name, err = a.Name(name); err != nil {
		return err
	}
	if err := a.join(ctx, circle, name); err != nil {
		return err
	}
	a.meet()
	return nil
}

func (a *Auth) join(ctx context.Context, circle, name string) error {
	a.change.Lock()
	defer a.change.Unlock()
	if !a.Exists(name) {
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	members, err := a.Members(ctx, circle)
	if err != nil {
		return err
	}
	if len(members) >= MostMembers && !slices.Contains(members, name) {
		return fmt.Errorf("%w: %s has %d members already", ErrCircle, circle, len(members))
	}
	return a.kv.Apply(ctx, owner, a.memberOps(circle, name)...)
}

// memberOps makes a member who is to meet the others.
func (a *Auth) memberOps(circle, name string) []store.Op {
	since := strconv.FormatInt(time.Now().Unix(), 10)
	return []store.Op{a.circles.Set(circle+"/"+name, []byte(since)), a.meetingOp(Meeting{Name: name, Circle: circle})}
}

// Leave takes an account out of a circle. People stay contacts of each other: a
// contact list is theirs. ErrNotFound when it is no member.
func (a *Auth) Leave(ctx context.Context, circle, name string) error {
	circle, err := CircleName(circle)
	if err != nil {
		return err
	}
	if name, err = a.Name(name); err != nil {
		return err
	}
	a.change.Lock()
	defer a.change.Unlock()
	if _, err := a.circles.Get(ctx, owner, circle+"/"+name); errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w in the circle %s: %s", ErrNotFound, circle, name)
	}
	return a.kv.Apply(ctx, owner, a.circles.Unset(circle+"/"+name), a.meetings.Unset(Meeting{Name: name, Circle: circle}.key()))
}

// leaveAll takes a removed account out of every circle.
func (a *Auth) leaveAll(ctx context.Context, name string) error {
	items, err := a.circles.Scan(ctx, owner, store.Range{})
	if err != nil {
		return fmt.Errorf("auth: circles: %w", err)
	}
	var ops []store.Op
	for _, it := range items {
		if strings.HasSuffix(it.Key, "/"+name) {
			ops = append(ops, a.circles.Unset(it.Key))
		}
	}
	if len(ops) == 0 {
		return nil
	}
	return a.kv.Apply(ctx, owner, ops...)
}

// Meeting is what a newcomer was promised: to be a contact of With, or of all
// members of Circle. It is kept until it is done.
type Meeting struct {
	Name   string
	With   string // "" for a circle
	Circle string
	After  string // the members up to this one are met
}

func (m Meeting) key() string { return m.Name + "/" + m.With + "/" + m.Circle }

func (a *Auth) meetingOp(m Meeting) store.Op { return a.meetings.Set(m.key(), []byte(m.After)) }

// OnMeet sets who is told that there are meetings. It must not block. Before use only.
func (a *Auth) OnMeet(f func()) { a.meet = f }

// Meetings are those that are to be made.
func (a *Auth) Meetings(ctx context.Context) ([]Meeting, error) {
	items, err := a.meetings.Scan(ctx, owner, store.Range{})
	if err != nil {
		return nil, fmt.Errorf("auth: meetings: %w", err)
	}
	var all []Meeting
	for _, it := range items {
		if part := strings.SplitN(it.Key, "/", 3); len(part) == 3 {
			all = append(all, Meeting{Name: part[0], With: part[1], Circle: part[2], After: string(it.Value)})
		}
	}
	return all, nil
}

// Met notes how far a meeting has come, or that it is over. One that was called off
// meanwhile stays so.
func (a *Auth) Met(ctx context.Context, m Meeting, over bool) error {
	a.change.Lock()
	defer a.change.Unlock()
	if over {
		return a.meetings.Delete(ctx, owner, m.key())
	}
	if _, err := a.meetings.Get(ctx, owner, m.key()); errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return a.kv.Apply(ctx, owner, a.meetingOp(m))
}
