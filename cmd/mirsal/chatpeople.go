package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mirsal/internal/client/port"
)

// oneCall is a command line that is one command of the port.
func (o *chatOptions) oneCall(use, short, example string, n int, what string, ask func(args []string) port.Command) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Example: example, Args: exactly(n, what),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(func(c *chatting) error {
				command := ask(args)
				if err := c.readyFor(command, cmd.ErrOrStderr()); err != nil {
					return err
				}
				answer, err := c.Call(c.limit, command)
				if err != nil {
					return waited(err)
				}
				return o.printAnswer(cmd, answer)
			})
		},
	}
}

// printAnswer prints what an answer says; Done without a chat says nothing.
func (o *chatOptions) printAnswer(cmd *cobra.Command, answer port.Event) error {
	if o.json {
		return printEvent(cmd.OutOrStdout(), answer)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	switch a := answer.(type) {
	case *port.Done:
		if a.Chat != "" {
			fmt.Fprintln(w, a.Chat)
		}
	case *port.ChatList:
		for _, c := range a.Chats {
			fmt.Fprintf(w, "%s\t%s\t%d unread\t%s\n", c.Address, plain(c.Name), c.Unread, lockWord(c.Lock))
		}
	case *port.ContactList:
		for _, c := range a.Contacts {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Address, plain(c.Name), c.State, presenceWord(c))
		}
	case *port.MemberList:
		for _, m := range a.Members {
			fmt.Fprintf(w, "%s\t%s\t%s\n", m.Address, plain(m.Nick), m.Role)
		}
	case *port.DeviceList:
		for _, d := range a.Devices {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", d.Address, d.ID, grouped(d.Fingerprint), d.Trust, deviceWords(d))
		}
		for _, x := range a.Others {
			fmt.Fprintf(w, "%s\t%s\t(its keys are not known)\t\t%s\n", a.Address, cell(x.Client), accessWords(x))
		}
	case *port.Code:
		fmt.Fprintln(w, a.Text)
	}
	return w.Flush()
}

// lockWord is the lock's state; of a chat that only has no keys yet, why, as the screen has it.
func lockWord(l port.Lock) string {
	if l.Unready() {
		return l.Why
	}
	return string(l.State)
}

func presenceWord(c port.Contact) string {
	switch {
	case c.Blocked:
		return "blocked"
	case c.Online:
		return "online"
	}
	return ""
}

// grouped writes a fingerprint as people compare it: eight groups of eight.
func grouped(f string) string {
	if f == "" {
		return "(key not known yet)"
	}
	var groups []string
	for len(f) > 8 {
		groups, f = append(groups, f[:8]), f[8:]
	}
	return strings.Join(append(groups, f), " ")
}

func deviceWords(d port.Device) string {
	var words []string
	if d.Here {
		words = append(words, "this device")
	}
	if !d.Active {
		words = append(words, "not used any more")
	}
	if d.Label != "" {
		words = append(words, cell(d.Label))
	}
	if d.Access != nil {
		words = append(words, accessWords(*d.Access))
	}
	return strings.Join(words, ", ")
}

// cell is a text of others on one line of a table, and in one column of it.
func cell(s string) string { return strings.Join(strings.Fields(plain(s)), " ") }

// accessWords says what the server knows of a client that has access to the account.
func accessWords(a port.Access) string {
	var words []string
	add := func(format, what string) {
		if what != "" {
			words = append(words, fmt.Sprintf(format, what))
		}
	}
	add("%s", cell(a.Software))
	add("“%s”", cell(a.Name))
	if a.Online {
		words = append(words, "online")
	} else if !a.Last.IsZero() {
		add("last here %s", a.Last.Local().Format("2006-01-02 15:04"))
	}
	if !a.First.IsZero() {
		add("since %s", a.First.Local().Format(time.DateOnly))
	}
	add("by %s", strings.Join(a.By, " and "))
	return strings.Join(words, ", ")
}

func newChatList(o *chatOptions) *cobra.Command {
	return o.oneCall("list", "List the conversations, newest first", "  mirsal chat list --json", 0, "", func([]string) port.Command { return &port.ListChats{} })
}

func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs, RunE: func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usage("unknown command %q", args[0])
		}
		return cmd.Help()
	}}
	cmd.AddCommand(subs...)
	return cmd
}

func newChatContact(o *chatOptions) *cobra.Command {
	return group("contact", "List, add, remove and block contacts",
		o.oneCall("list", "List the contacts and who asks to be one", "  mirsal chat contact list", 0, "", func([]string) port.Command { return &port.ListContacts{} }),
		o.oneCall("add JID", "Ask somebody to be a contact, or accept who has asked", "  mirsal chat contact add bob@example.org", 1, "JID", func(a []string) port.Command { return &port.AddContact{Address: a[0]} }),
		o.oneCall("remove JID", "Remove a contact, or decline who has asked", "  mirsal chat contact remove bob@example.org", 1, "JID", func(a []string) port.Command { return &port.RemoveContact{Address: a[0]} }),
		o.oneCall("block JID", "Hear nothing from somebody any more", "  mirsal chat contact block mallory@example.org", 1, "JID", func(a []string) port.Command { return &port.Block{Address: a[0], On: true} }),
		o.oneCall("unblock JID", "Hear from somebody again", "  mirsal chat contact unblock bob@example.org", 1, "JID", func(a []string) port.Command { return &port.Block{Address: a[0]} }))
}

func newChatRoom(o *chatOptions) *cobra.Command {
	create := o.oneCall("create NAME", "Make a private, encrypted room; prints its address", "  mirsal chat room create desk", 1, "NAME", func(a []string) port.Command { return &port.CreateRoom{Name: a[0]} })
	return group("room", "Make, enter and leave rooms",
		create,
		o.oneCall("join ADDRESS", "Enter a room and stay in it", "  mirsal chat room join desk@conference.example.org", 1, "ADDRESS", func(a []string) port.Command { return &port.JoinRoom{Address: a[0]} }),
		o.oneCall("leave ADDRESS", "Leave a room for good", "  mirsal chat room leave desk@conference.example.org", 1, "ADDRESS", func(a []string) port.Command { return &port.LeaveRoom{Address: a[0]} }),
		o.oneCall("invite ADDRESS JID", "Make somebody a member and tell them", "  mirsal chat room invite desk@conference.example.org bob@example.org", 2, "ADDRESS or JID", func(a []string) port.Command { return &port.Invite{Room: a[0], Address: a[1]} }),
		o.oneCall("kick ADDRESS JID", "Take somebody's membership away", "  mirsal chat room kick desk@conference.example.org bob@example.org", 2, "ADDRESS or JID", func(a []string) port.Command { return &port.Kick{Room: a[0], Address: a[1]} }),
		o.oneCall("members ADDRESS", "List the members", "  mirsal chat room members desk@conference.example.org", 1, "ADDRESS", func(a []string) port.Command { return &port.ListMembers{Room: a[0]} }))
}

func newChatDevices(o *chatOptions) *cobra.Command {
	var of, remove string
	cmd := o.oneCall("devices", "List devices and their keys: one's own, or with --of somebody's", "  mirsal chat devices\n  mirsal chat devices --of bob@example.org\n  mirsal chat devices --remove 1234567", 0, "", func([]string) port.Command {
		if remove != "" {
			return removal(remove)
		}
		return &port.ListDevices{Address: of}
	})
	cmd.Long = "One's own devices are listed with what the server knows of their sign-ins. Below them are programs that have access and do\n" +
		"not say which keys are theirs, as those of other makers; --remove ends the sign-in of one by its name in the list."
	cmd.Flags().StringVar(&of, "of", "", "a contact or a room")
	cmd.Flags().StringVar(&remove, "remove", "", "take a device of one's own off the account: its number, or the name of a program without known keys")
	return cmd
}

// removal takes off what the list of devices names: a number of keys, or else a client.
func removal(name string) port.Command {
	if n, err := strconv.ParseUint(name, 10, 32); err == nil && n != 0 {
		return &port.RemoveDevice{ID: uint32(n)}
	}
	return &port.RemoveDevice{Client: name}
}

func newChatTrust(o *chatOptions) *cobra.Command {
	return o.oneCall("trust JID FINGERPRINT verified|first-use|refused", "Decide about a key, after comparing it",
		"  mirsal chat trust bob@example.org 5a9e…04 verified", 3, "JID, FINGERPRINT or the decision", func(a []string) port.Command {
			return &port.SetTrust{Address: a[0], Fingerprint: strings.ReplaceAll(strings.ToLower(a[1]), " ", ""), Trust: a[2]}
		})
}

func newChatVerify(o *chatOptions) *cobra.Command {
	cmd := o.oneCall("verify [CODE]", "Compare keys: print one's own code, or take the text of a scanned one", "  mirsal chat verify\n  mirsal chat verify 'xmpp:bob@example.org?omemo-sid-1234=5a9e…' --of bob@example.org", 0, "", nil)
	show := o.oneCall("", "", "", 0, "", func([]string) port.Command { return &port.SafetyCode{} }).RunE
	of := cmd.Flags().String("of", "", "whose code it must be: one of anybody else is refused (needed for one's own other devices)")
	take := func(cmd *cobra.Command, args []string) error {
		return o.with(func(c *chatting) error { return o.takeCode(cmd, c, args[0], *of) })
	}
	cmd.Args = between(0, 1, "")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return take(cmd, args)
		}
		if *of != "" {
			return usage("--of goes with a CODE")
		}
		return show(cmd, args)
	}
	return cmd
}

// takeCode compares keys, and says what that comes to.
func (o *chatOptions) takeCode(cmd *cobra.Command, c *chatting, code, of string) error {
	if err := c.synced(); err != nil {
		return err
	}
	answer, err := c.Call(c.limit, &port.Verify{Code: code, Address: of})
	if err != nil {
		return waited(err)
	}
	if o.json {
		return printEvent(cmd.OutOrStdout(), answer)
	}
	who := answer.(*port.Done).Chat
	list, err := c.Call(c.limit, &port.ListDevices{Address: who})
	if err != nil {
		return waited(err)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), comparedWords(who, list.(*port.DeviceList).Devices))
	return err
}

// comparedWords says how many of somebody's devices are compared now.
func comparedWords(who string, devices []port.Device) string {
	n, all := 0, 0
	for _, d := range devices {
		if d.Active {
			all++
		}
		if d.Active && d.Trust == "verified" {
			n++
		}
	}
	switch {
	case all == 0:
		return fmt.Sprintf("No device of %s is known yet; one with this key is taken as compared when it appears.", who)
	case n == all:
		return fmt.Sprintf("All devices of %s that are in use are compared (%d).", who, n)
	}
	return fmt.Sprintf("%d of %d devices of %s that are in use are compared.", n, all, who)
}

func newChatEncryption(o *chatOptions) *cobra.Command {
	cmd := o.oneCall("encryption JID on|off", "Switch a conversation's encryption off, or on again", "  mirsal chat encryption old-bot@example.org off", 2, "JID, or on or off", func(a []string) port.Command {
		return &port.SetEncryption{Chat: a[0], On: a[1] == "on"}
	})
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if args[1] != "on" && args[1] != "off" {
			return usage("it is on or off, not %q", args[1])
		}
		return run(cmd, args)
	}
	return cmd
}
