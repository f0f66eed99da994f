package client

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/port"
	"mirsal/internal/xmpp/stanza"
)

// says gives a room what it says of itself, and who is in it.
func (d *desk) described(name, about string, image []byte, owners ...string) {
	d.lie = func(q conn.Request) (string, bool) {
		e := parse(d.t, string(q.Payload))
		switch {
		case q.To.String() == tea && e.Is(nsInfo, "query"):
			return "<query xmlns='" + nsInfo + "'><identity category='conference' type='text' name='" + name + "'/><feature var='muc_membersonly'/><feature var='muc_nonanonymous'/>" +
				"<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/muc#roominfo</value></field>" +
				"<field var='muc#roominfo_description'><value>" + about + "</value></field><field var='muc#roominfo_avatarhash'><value>" + nameOfPicture(image) + "</value></field></x></query>", true
		case q.To.String() == tea && e.Is(nsMUCAdmin, "query") && q.Type == stanza.Get:
			items := ""
			if strings.Contains(string(q.Payload), "'owner'") {
				for _, o := range owners {
					items += "<item affiliation='owner' jid='" + o + "'/>"
				}
			}
			return "<query xmlns='" + nsMUCAdmin + "'>" + items + "</query>", true
		case q.To.String() == tea && e.Is(nsVCard, "vCard") && q.Type == stanza.Get:
			return "<vCard xmlns='" + nsVCard + "'><PHOTO><TYPE>image/jpeg</TYPE><BINVAL>" + base64.StdEncoding.EncodeToString(image) + "</BINVAL></PHOTO></vCard>", true
		}
		return "", false
	}
	d.wire.lie = d.lie
}

func TestWhatARoomSaysOfItselfIsToldWhenItChanges(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.described("tea", "every day\nat five", jpeg, me)
		d.enter(tea)
		last := func() (out port.RoomDetails) {
			for _, ev := range d.told {
				if r, ok := ev.(*port.RoomDetails); ok && r.Ref.Ref == 0 {
					out = *r
				}
			}
			return out
		}
		r := last()
		if r.Name != "tea" || r.Description != "every day\nat five" || r.Role != "owner" || !r.MayChange || !r.MayInvite || !r.Encrypted || r.Avatar != nameOfPicture(jpeg) {
			t.Errorf("the room is told as %+v", r)
		}
		if asked := *d.must(&port.RoomInfo{Room: tea}).(*port.RoomDetails); asked.Name != "tea" || asked.Members != 1 {
			t.Errorf("asked for, it is %+v", asked)
		}
		if p := d.must(&port.Avatar{Address: tea}).(*port.Picture); !bytes.Equal(p.Data, jpeg) {
			t.Errorf("its picture has %d bytes", len(p.Data))
		}
		if c := d.chat(tea); c.Avatar != nameOfPicture(jpeg) {
			t.Errorf("the chat is %+v", c)
		}
		d.described("coffee", "", jpeg, me)
		d.gets("<message type='groupchat' from='" + tea + "'><x xmlns='" + nsMUCUser + "'><status code='104'/></x></message>")
		if r := last(); r.Name != "coffee" || r.Description != "" {
			t.Errorf("then it is told as %+v", r)
		}
		if c := d.chat(tea); c.Last == nil || c.Last.Notice != "renamed" || c.Last.Params[0] != "coffee" {
			t.Errorf("the last line is %+v", c.Last)
		}
	})
}

func TestARoomIsChangedAsItsOwnerSays(t *testing.T) {
	bubble(t, func(t *testing.T, d *desk) {
		d.described("tea", "", jpeg, me, bob)
		d.enter(tea)
		d.questions("")
		about := "new <words>"
		d.must(&port.SetRoom{Room: tea, Description: &about, Picture: jpeg})
		if q := d.questions("roomconfig"); len(q) != 1 || !strings.Contains(string(q[0].Payload), "new &lt;words&gt;") || strings.Contains(string(q[0].Payload), "roomname") {
			t.Errorf("asked: %v", q)
		}
		d.must(&port.SetRole{Room: tea, Address: bob, Role: "admin"})
		if q := d.questions("'admin'"); len(q) != 1 {
			t.Errorf("asked: %v", q)
		}
		for _, bad := range []port.Command{&port.SetRole{Room: tea, Address: bob, Role: "king"}, &port.SetRole{Room: tea, Address: eve, Role: "admin"},
			&port.SetRoom{Room: bob, Description: &about}, &port.SetRoom{Room: tea, Name: new(string)}, &port.SetRoom{Room: tea, Picture: []byte("<svg/>")}} {
			if port.FailureOf(d.do(bad)[0]) == nil {
				t.Errorf("%+v was done", bad)
			}
		}
		d.must(&port.DestroyRoom{Room: tea})
		if d.engine.rooms[tea] != nil || d.chat(tea).Address != "" {
			t.Error("the room is still here")
		}
	})
}
