package jid

import (
	"strings"
	"unicode/utf8"
)

// acePrefix starts an A-label.
const acePrefix = "xn--"

// The parameters of Punycode.
// RFC 3492 §5
const (
	pBase, pTMin, pTMax = 36, 1, 26
	pSkew, pDamp        = 38, 700
	pBias, pN           = 72, 0x80
	pMaxLabel           = 1 << 12 // bytes; bounds the work, far over any label of an address
)

func pAdapt(delta, points int, first bool) int {
	if first {
		delta /= pDamp
	} else {
		delta /= 2
	}
	delta += delta / points
	k := 0
	for ; delta > (pBase-pTMin)*pTMax/2; k += pBase {
		delta /= pBase - pTMin
	}
	return k + (pBase-pTMin+1)*delta/(delta+pSkew)
}

func pThreshold(k, bias int) int { return min(max(k-bias, pTMin), pTMax) }

func pValue(c byte) (int, bool) {
	switch {
	case 'a' <= c && c <= 'z':
		return int(c - 'a'), true
	case '0' <= c && c <= '9':
		return int(c-'0') + 26, true
	}
	return 0, false
}

func pDigit(v int) byte {
	if v < 26 {
		return byte('a' + v)
	}
	return byte('0' + v - 26)
}

// punycodeDecode reads lower-case Punycode.
// RFC 3492 §6.2
func punycodeDecode(s string) (string, bool) {
	if len(s) > pMaxLabel {
		return "", false
	}
	var out []rune
	if b := strings.LastIndexByte(s, '-'); b >= 0 {
		out, s = []rune(s[:b]), s[b+1:]
	}
	n, i, bias := pN, 0, pBias
	for first := true; s != ""; first = false {
		delta, rest, ok := pDelta(s, bias)
		if !ok {
			return "", false
		}
		i, s = i+delta, rest
		points := len(out) + 1
		bias = pAdapt(delta, points, first)
		n += i / points
		i %= points
		if n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
			return "", false
		}
		out = append(out, 0)
		copy(out[i+1:], out[i:])
		out[i] = rune(n)
		i++
	}
	return string(out), true
}

// pDelta reads one variable-length number and returns what is behind it.
func pDelta(s string, bias int) (delta int, rest string, ok bool) {
	const most = 1 << 31
	w := 1
	for k := pBase; s != ""; k += pBase {
		v, ok := pValue(s[0])
		if !ok || v > (most-delta)/w {
			return 0, "", false
		}
		s = s[1:]
		delta += v * w
		t := pThreshold(k, bias)
		if v < t {
			return delta, s, true
		}
		if w > most/(pBase-t) {
			return 0, "", false
		}
		w *= pBase - t
	}
	return 0, "", false
}

// punycodeEncode writes s in Punycode.
// RFC 3492 §6.3
func punycodeEncode(s string) (string, bool) {
	if len(s) > pMaxLabel {
		return "", false
	}
	in := []rune(s)
	var out []byte
	for _, r := range in {
		if r < pN {
			out = append(out, byte(r))
		}
	}
	basic := len(out)
	if basic > 0 {
		out = append(out, '-')
	}
	n, delta, bias := rune(pN), 0, pBias
	for done := basic; done < len(in); {
		m := pNext(in, n)
		delta += int(m-n) * (done + 1)
		n = m
		for _, r := range in {
			if r < n {
				delta++
			}
			if r == n {
				out = pAppend(out, delta, bias)
				bias = pAdapt(delta, done+1, done == basic)
				delta = 0
				done++
			}
		}
		delta++
		n++
	}
	return string(out), true
}

// pNext is the smallest code point of in that is not below n.
func pNext(in []rune, n rune) rune {
	m := rune(utf8.MaxRune)
	for _, r := range in {
		if r >= n && r < m {
			m = r
		}
	}
	return m
}

func pAppend(out []byte, delta, bias int) []byte {
	for k := pBase; ; k += pBase {
		t := pThreshold(k, bias)
		if delta < t {
			return append(out, pDigit(delta))
		}
		out = append(out, pDigit(t+(delta-t)%(pBase-t)))
		delta = (delta - t) / (pBase - t)
	}
}
