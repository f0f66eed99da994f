"""Checks elements against the grammar of docs/protocol/calls.md, with expat.

Called with the path of that page. It reads batches from its input (a count, then
for each element its length and bytes; 32 bits, big endian) and answers each
batch with the length and the text of the first complaint, empty for none.
"""
import base64, ipaddress, re, struct, sys
from xml.parsers import expat

PAGE = open(sys.argv[1], encoding='utf-8').read()

def block(name):
    lines = re.search('```' + name + r'\n(.*?)```', PAGE, re.S).group(1).splitlines()
    return [l for l in lines if l.strip()]

NS = dict(l.split() for l in block('namespaces'))

CHARS = {
    'graphic': r"[!#-%(-;=?-~]*", 'token': r"[A-Za-z0-9!#$%*+\-.^_`{|}~]*", 'line': r"[ -~]*",
    'key': r"[!#-%(-:?-~]*",
    'uri': r"[!#-%(-;=?-\[\]_a-z~]*", 'ice': r"[A-Za-z0-9+/]*", 'pairs': r"[0-9A-F]{2}(:[0-9A-F]{2})*",
}

def in_chars(kind, low, high):
    chars = re.compile(CHARS[kind])
    return lambda v: low <= len(v) <= high and chars.fullmatch(v)

def number(low, high):
    digits = re.compile('0|[1-9][0-9]{0,9}')
    return lambda v: digits.fullmatch(v) and low <= int(v) <= high

def pairs(low, high):
    ok = re.compile(CHARS['pairs'])
    return lambda v: ok.fullmatch(v) and (len(v) + 1) // 3 in (32, 48, 64)

def b64(low, high):
    def check(v):
        raw = base64.b64decode(v, validate=True)
        return low <= len(raw) <= high and base64.b64encode(raw).decode() == v
    return check

def address(v):
    a = ipaddress.ip_address(v)
    return '%' not in v and not a.is_multicast and not a.is_unspecified

def any_address(v):
    return '%' not in v and ipaddress.ip_address(v) is not None

def people(low, high):
    # bytes as they are written; no control characters, one line
    cost = {'&': 5, '<': 4, '>': 4, "'": 6, '"': 6}
    bad = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]|^ | $|  ')
    return lambda v: low <= sum(cost.get(c, len(c.encode())) for c in v) <= high and not bad.search(v)

def jid(low, high):
    bad = re.compile('[\x00-\x1f\x7f]')
    return lambda v: low <= len(v.encode()) <= high and not bad.search(v)

def make_type(kind, args):
    if kind == 'one':
        return frozenset(args).__contains__
    if kind in ('address', 'any'):
        return address if kind == 'address' else any_address
    low, high = int(args[0]), int(args[1])
    special = {'number': number, 'base64': b64, 'pairs': pairs, 'people': people, 'jid': jid}
    return special[kind](low, high) if kind in special else in_chars(kind, low, high)

TYPES = {}
for line in block('types'):
    words = line.split()
    TYPES[words[0]] = make_type(words[1], words[2:])

class Rule:
    def __init__(self, line):
        words = line.split()
        self.name, element = words[0], words[1]
        prefix, _, names = element.partition(':')
        self.elements = frozenset(NS[prefix] + ' ' + n for n in names.split(','))
        rest = [w for w in words[2:] if w != '-']
        self.some = '|1' in rest
        self.text, self.attrs, self.parts = None, [], []
        for w in rest:
            if w == '|1':
                continue
            if w.startswith('='):
                self.text = TYPES[w[1:]]
            elif '=' in w:
                name, kind = w.split('=')
                self.attrs.append((name.rstrip('?'), name.endswith('?'), TYPES[kind]))
            else:
                m = re.fullmatch(r'([a-z/\-]+)(\?|[*+](\d+))?', w)
                low = 0 if m.group(2) and m.group(2)[0] in '?*' else 1
                high = int(m.group(3)) if m.group(3) else 1
                self.parts.append((m.group(1).split('/'), low, high))
        self.seen = {}  # attribute lists that were looked at before

    def attributes(self, pairs):
        key = tuple(pairs)
        known = self.seen.get(key)
        if known is None:
            known = self.look(pairs)
            if len(self.seen) < 20000:
                self.seen[key] = known
        return known

    def look(self, pairs):
        i = 0
        for name, optional, check in self.attrs:
            if i < len(pairs) and pairs[i] == name:
                try:
                    if not check(pairs[i + 1]):
                        return False
                except ValueError:
                    return False
                i += 2
            elif not optional:
                return False
        return i == len(pairs)

RULES = {}
for line in block('grammar'):
    rule = Rule(line)
    assert rule.name not in RULES, rule.name
    RULES[rule.name] = rule
for rule in RULES.values():
    rule.parts = [([RULES[n] for n in names], low, high) for names, low, high in rule.parts]
ROOTS = [r for r in RULES.values() if any(e == NS['jingle'] + ' jingle' for e in r.elements)]
ROOTS += [RULES[n] for n in 'propose ringing proceed accept reject retract finish'.split()]

def matches(rule, node):
    name, attrs, kids, text = node
    if name not in rule.elements or not rule.attributes(attrs):
        return False
    if rule.text is None:
        if text:
            return False
    else:
        try:
            if not rule.text(''.join(text)):
                return False
        except ValueError:
            return False
    if rule.some and not kids:
        return False
    at = 0
    for options, low, high in rule.parts:
        n = 0
        while at < len(kids) and n < high and any(matches(o, kids[at]) for o in options):
            at, n = at + 1, n + 1
        if n < low:
            return False
    return at == len(kids)

def read(doc):
    p = expat.ParserCreate('utf-8', ' ')
    p.ordered_attributes = True
    root = ('', [], [], [])
    stack = [root]
    bad = []
    def start(name, attrs):
        node = (name, attrs, [], [])
        stack[-1][2].append(node)
        stack.append(node)
    p.StartElementHandler = start
    p.EndElementHandler = lambda name: stack.pop()
    p.CharacterDataHandler = lambda s: stack[-1][3].append(s)
    for h in ('CommentHandler', 'ProcessingInstructionHandler', 'StartCdataSectionHandler', 'StartDoctypeDeclHandler', 'XmlDeclHandler'):
        setattr(p, h, lambda *a: bad.append(a))
    p.Parse(doc, True)
    return None if bad else root[2][0]

def complaint(doc):
    most = 49152 if doc.startswith(b'<jingle') else 1024
    if len(doc) > most:
        return 'too long'
    try:
        node = read(doc)
    except expat.ExpatError as e:
        return 'expat: %s' % e
    if node is None:
        return 'not plain XML'
    # matches() does not go back: what is optional and not in the grammar is caught
    # by the children that are left over.
    return '' if any(matches(r, node) for r in ROOTS) else 'not in the grammar'

def main():
    i, o = sys.stdin.buffer, sys.stdout.buffer
    while True:
        head = i.read(4)
        if len(head) < 4:
            return
        answer = ''
        for _ in range(struct.unpack('>I', head)[0]):
            doc = i.read(struct.unpack('>I', i.read(4))[0])
            if not answer:
                said = complaint(doc)
                if said:
                    answer = said + ': ' + doc.decode('utf-8', 'replace')
        raw = answer.encode()
        o.write(struct.pack('>I', len(raw)) + raw)
        o.flush()

main()
