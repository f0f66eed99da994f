package xmppclient

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// Node is one XML element as a tree. Comments and processing instructions are
// not kept: they are not allowed in a stream.
type Node struct {
	Name     xml.Name
	Attrs    []xml.Attr // without namespace declarations
	Children []*Node
	Text     string // all character data directly inside, joined
}

// Parse reads every top-level element of a text. Prefixes that nobody declared
// stand as their own namespace; elements without one are in namespace def.
func Parse(text, def string) ([]*Node, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.DefaultSpace = def
	var all []*Node
	for {
		n, err := readNode(d)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
}

// readNode reads the next whole element. The end of the enclosing element or
// input is io.EOF.
func readNode(d *xml.Decoder) (*Node, error) {
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return readChildren(d, t)
		case xml.EndElement:
			return nil, io.EOF
		}
	}
}

func readChildren(d *xml.Decoder, start xml.StartElement) (*Node, error) {
	n := &Node{Name: start.Name, Attrs: plainAttrs(start.Attr)}
	var text strings.Builder
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			child, err := readChildren(d, t)
			if err != nil {
				return nil, err
			}
			n.Children = append(n.Children, child)
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			n.Text = text.String()
			return n, nil
		}
	}
}

func plainAttrs(all []xml.Attr) []xml.Attr {
	var kept []xml.Attr
	for _, a := range all {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			kept = append(kept, a)
		}
	}
	return kept
}

// Is tells whether a node has this name.
func (n *Node) Is(space, local string) bool {
	return n != nil && n.Name.Space == space && n.Name.Local == local
}

// Attr is the value of an attribute without namespace, empty when absent.
func (n *Node) Attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// Child is the first child of this name, nil when there is none.
func (n *Node) Child(space, local string) *Node {
	if n == nil {
		return nil
	}
	for _, c := range n.Children {
		if c.Is(space, local) {
			return c
		}
	}
	return nil
}

// IsStanza tells whether a node is a message, a presence or an IQ.
func (n *Node) IsStanza() bool {
	switch n.Name.Local {
	case "message", "presence", "iq":
		return n.Name.Space == NSClient
	}
	return false
}

// String writes the node as XML, one element a line.
func (n *Node) String() string {
	var b strings.Builder
	n.write(&b, "", "")
	return b.String()
}

func (n *Node) write(b *strings.Builder, indent, outer string) {
	fmt.Fprintf(b, "%s<%s", indent, n.Name.Local)
	if n.Name.Space != outer {
		fmt.Fprintf(b, " xmlns='%s'", escape(n.Name.Space))
	}
	for _, a := range n.Attrs {
		name := a.Name.Local
		if a.Name.Space != "" {
			name = prefixOf(a.Name.Space) + ":" + name
		}
		fmt.Fprintf(b, " %s='%s'", name, escape(a.Value))
	}
	text := strings.TrimSpace(n.Text)
	if len(n.Children) == 0 && text == "" {
		b.WriteString("/>")
		return
	}
	b.WriteString(">" + escape(text))
	for _, c := range n.Children {
		b.WriteByte('\n')
		c.write(b, indent+"  ", n.Name.Space)
	}
	if len(n.Children) > 0 {
		b.WriteString("\n" + indent)
	}
	fmt.Fprintf(b, "</%s>", n.Name.Local)
}

func prefixOf(space string) string {
	if space == "http://www.w3.org/XML/1998/namespace" {
		return "xml"
	}
	return space
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&apos;")

func escape(s string) string { return escaper.Replace(s) }
