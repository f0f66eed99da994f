package port

// listed is an event whose lists are lists, also where nothing is in them: a reader in another
// language has no null to stumble over.
func listed(e Event) Event {
	switch e := e.(type) {
	case *ChatList:
		return &ChatList{Ref: e.Ref, Chats: list(e.Chats)}
	case *Page:
		c := *e
		c.Messages = list(c.Messages)
		return &c
	case *ContactList:
		return &ContactList{Ref: e.Ref, Contacts: list(e.Contacts)}
	case *MemberList:
		c := *e
		c.Members = list(c.Members)
		return &c
	case *RoomDoor:
		c := *e
		c.Asking = list(c.Asking)
		return &c
	case *DeviceList:
		c := *e
		c.Devices = list(c.Devices)
		return &c
	case *PasskeyList:
		c := *e
		c.Passkeys = list(c.Passkeys)
		return &c
	case *CallList:
		c := *e
		c.Calls = list(c.Calls)
		return &c
	case *CallLinkList:
		c := *e
		c.Links = list(c.Links)
		return &c
	case *Found:
		c := *e
		c.Messages = list(c.Messages)
		return &c
	}
	return e
}

func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
