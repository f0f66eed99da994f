package conformance

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"image"
	"image/png"
	"strconv"
	"strings"
	"time"

	"mirsal/internal/xmpp/xtok"
)

const (
	nsCard       = "vcard-temp"
	nsAvatarMeta = "urn:xmpp:avatar:metadata"
	nsAvatarData = "urn:xmpp:avatar:data"
)

// tryPictures tests XEP-0398 with the pictures that are there, or with one of
// our own where there is none and nobody could see it.
func (e *exam) tryPictures(ctx context.Context, card xtok.Elem) {
	const key = "im.avatar-compat"
	if !e.own.has("urn:xmpp:pep-vcard-conversion:0") && !e.server.has("urn:xmpp:pep-vcard-conversion:0") {
		e.missing(key, "not announced")
		return
	}
	inPEP := ""
	if items, err := e.read(ctx, nsAvatarMeta); err == nil && len(items) > 0 && items[0].First().First().OK() {
		inPEP = items[0].Attr("id")
	}
	inCard := pictureOf(card)
	switch {
	case inCard == "" && inPEP == "" && e.shown && !card.First().OK():
		e.tryOwnPicture(ctx)
	case inCard == "" && inPEP == "":
		e.unknown(key, "announced; you have no picture to try it with, and ours would be seen")
	case inCard != strings.ToLower(inPEP):
		e.partly(key, "announced, but the picture in your vCard is not the one in PEP")
	default:
		e.works(key, "the picture in your vCard is the one in PEP")
	}
}

// pictureOf is the hash of the picture in a vCard, in hexadecimal; "" for none.
func pictureOf(card xtok.Elem) string {
	text := card.Child(nsCard, "PHOTO").Child(nsCard, "BINVAL").Text()
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(data) == 0 {
		return ""
	}
	sum := sha1.Sum(data)
	return hex.EncodeToString(sum[:])
}

// picture is a small grey square.
func picture() []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, 32, 32))) // never fails
	return b.Bytes()
}

// tryOwnPicture publishes a picture in PEP and looks for it in the vCard.
func (e *exam) tryOwnPicture(ctx context.Context) {
	const key = "im.avatar-compat"
	data := picture()
	sum := sha1.Sum(data)
	id := hex.EncodeToString(sum[:])
	meta := "<metadata xmlns='" + nsAvatarMeta + "'><info bytes='" + strconv.Itoa(len(data)) + "' id='" + id + "' type='image/png' height='32' width='32'/></metadata>"
	defer e.takePictureBack(ctx)
	err := e.publish(ctx, nsAvatarData, id, "<data xmlns='"+nsAvatarData+"'>"+base64.StdEncoding.EncodeToString(data)+"</data>")
	if err == nil {
		err = e.publish(ctx, nsAvatarMeta, id, meta)
	}
	switch {
	case err != nil:
		e.broken(key, true, "publishing a picture", err)
	case e.seenInCard(ctx, id):
		e.works(key, "a picture published in PEP came to be in the vCard, and was taken back")
	default:
		e.missing(key, "announced, but a picture published in PEP does not come to be in the vCard")
	}
}

func (e *exam) seenInCard(ctx context.Context, id string) bool {
	for range tries {
		card, err := e.a.get(ctx, "", "<vCard xmlns='"+nsCard+"'/>")
		if err == nil && pictureOf(card.Child(nsCard, "vCard")) == id {
			return true
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false
		}
	}
	return false
}

// takePictureBack leaves the account without picture and vCard, as it was.
func (e *exam) takePictureBack(ctx context.Context) {
	_ = e.publish(ctx, nsAvatarMeta, "none", "<metadata xmlns='"+nsAvatarMeta+"'/>")
	e.deleteNode(ctx, nsAvatarMeta)
	e.deleteNode(ctx, nsAvatarData)
	card, err := e.a.get(ctx, "", "<vCard xmlns='"+nsCard+"'/>")
	if err == nil && card.Child(nsCard, "vCard").First().OK() {
		_, err = e.a.set(ctx, "", "<vCard xmlns='"+nsCard+"'/>")
		e.left("a vCard with a grey picture", err)
	}
}
