package terminal

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"mirsal/internal/client/port"
)

// lockLine is the lock of the open chat for its heading.
func (m *model) lockLine(c port.Chat) (string, ansi.Style) {
	style := m.look.good
	switch {
	case unready(c.Lock):
		style = m.look.dim
	case c.Lock.State == port.Open:
		style = m.look.warn
	case c.Lock.State == port.Changed, c.Lock.State == port.Broken:
		style = m.look.bad
	case c.Lock.State == "":
		return "", m.look.dim
	}
	return lockSign(c.Lock) + " " + m.t(lockShort(c.Lock)), style
}

// newLock says in words what the lock covers, and what it does not.
func newLock(m *model) sheet {
	if m.open == "" {
		m.say("no conversation is open")
		return nil
	}
	chat := m.open
	r := &reading{name: "The lock", hint: "t keys and devices · v my code · p paste a code · l language"}
	r.text = func(m *model, w int) []string { return m.lockText(m.s.chat(chat), w) }
	r.keys = func(m *model, key string) bool {
		switch key {
		case "t":
			m.push(newDevices(m, m.inQuestion(chat)))
		case "v":
			m.push(newSafety(m))
		case "p":
			m.push(newPaste(m, chat))
		case "l":
			all := languages()
			m.speak(all[(slices.Index(all, m.lang)+1)%len(all)])
		default:
			return false
		}
		return true
	}
	return r
}

// inQuestion is whose keys are to be decided about: one's own (""), where the lock speaks of nobody else.
func (m *model) inQuestion(chat string) string {
	if who := m.s.chat(chat).Lock.Missing; len(who) == 1 && who[0] == m.s.status.Address {
		return ""
	}
	return chat
}

// whom names who cannot read yet.
func (m *model) whom(c port.Chat) string {
	if !c.Room || len(c.Lock.Missing) == 0 {
		return m.name(c.Address)
	}
	var names []string
	for _, who := range c.Lock.Missing {
		names = append(names, m.name(who))
	}
	return strings.Join(names, ", ")
}

func languages() []string { return []string{"en", "ar", "uk"} }

func (m *model) lockText(c port.Chat, w int) (lines []string) {
	words := lockWords(m.lang)
	line, style := m.lockLine(c)
	lines = append(lines, strings.Repeat(" ", w), paint(style, m.pen.place(line, w)))
	said := words[string(c.Lock.State)]
	if unready(c.Lock) {
		said = strings.ReplaceAll(words[c.Lock.Why], "%s", m.whom(c))
	} else if c.Lock.Why != "" && c.Lock.Why != "plain" {
		about := m.t(whyWords(c.Lock.Why))
		if len(c.Lock.Missing) > 0 {
			about += ": " + strings.Join(c.Lock.Missing, ", ")
		}
		lines = append(lines, m.pen.field(oneLine(about), w)...)
	}
	lines = append(lines, m.pen.field("\n"+said+"\n", w)...)
	lines = append(lines, paint(m.look.accent, m.pen.field(words["covers"], w)[0]))
	lines = append(lines, m.pen.field(words["covered"]+"\n", w)...)
	lines = append(lines, paint(m.look.accent, m.pen.field(words["not"], w)[0]))
	for paragraph := range strings.SplitSeq(words["uncovered"], "\n") {
		lines = append(lines, m.pen.field(paragraph, w)...)
	}
	return lines
}

// lockWords is what is said of the lock, by the engine's states, and what end-to-end
// encryption covers and does not: the devices, notifications, copies, and who writes to
// whom.
func lockWords(lang string) map[string]string {
	switch lang {
	case "ar":
		return lockArabic()
	case "uk":
		return lockUkrainian()
	}
	return map[string]string{
		"locked":       "What is sent here is encrypted on this device and opened on theirs. Their keys were accepted when they were first seen; nobody has compared them yet. Compare them once, and an impostor cannot stand between you unseen.",
		"verified":     "What is sent here is encrypted on this device and opened on theirs, and every key in use was compared by you. If one changes you are told, and nothing goes to it before you have decided.",
		"open":         "What is sent here is not encrypted between you: the servers on the way, and whoever holds them, can read it and keep it.",
		"changed":      "A key is new, or other than before, where you had compared one. It may be a new phone; it may be somebody who wants to read along. Nothing goes to that key before you have decided about it.",
		"keys-waiting": "The keys of %s are not here yet. They are asked for with your first message at the latest, which waits for them and is encrypted with them; it never goes out readable instead.",
		"no-device":    "%s has not signed in with an app that encrypts. As soon as that has happened, what you write here is encrypted. Nothing goes out before, and never readable instead.",
		"alone":        "Nobody else is in this group yet, and who comes later cannot read what was encrypted before. Send it again when somebody is here.",
		"outside":      "What this group is like you will see when you are in it.",
		"broken":       "It ought to be encrypted and cannot be at the moment, so nothing is sent. It never goes out readable instead.",
		"":             "Nothing is known about keys here yet: they are asked for with the first message.",
		"covers":       "What the lock covers",
		"covered":      "The words and the files, on all the way between the devices. The servers cannot read them.",
		"not":          "What it does not cover",
		"uncovered":    "· Reactions, and what is taken back: the servers see which sign you give, and could make believe that a message was taken back or corrected.\n· The devices: whoever can unlock one, or has put a program on it, reads along. History lies readable in this profile's folder.\n· Notifications: what a phone shows on its locked screen, others can see.\n· Copies: what the other side saves, photographs or puts into a backup is out of your hands.\n· Who with whom: the servers see who writes to whom, when, how much and from where; who is in which room; and when somebody types or has read.",
	}
}

func lockArabic() map[string]string {
	return map[string]string{
		"locked":       "ما تكتبه هنا يُشفَّر على هذا الجهاز ولا يُفتح إلا على أجهزة الطرف الآخر. قُبلت مفاتيحه عند أول ظهورها ولم يقارنها أحد بعد. قارنها مرة واحدة، فلا يستطيع منتحل أن يقف بينكما دون أن يُرى.",
		"verified":     "ما تكتبه هنا يُشفَّر على هذا الجهاز ولا يُفتح إلا على أجهزة الطرف الآخر، وقد قارنتَ كل مفتاح مستعمل. إن تغيّر مفتاح أُخبرت، ولا يُرسل إليه شيء قبل أن تقرر.",
		"open":         "ما تكتبه هنا غير مشفَّر بينكما: تستطيع الخوادم في الطريق، ومن يملكها، أن تقرأه وتحتفظ به.",
		"changed":      "ظهر مفتاح جديد أو مختلف بعد أن قارنتَ المفاتيح. قد يكون هاتفًا جديدًا، وقد يكون من يريد أن يقرأ معكما. لا يُرسل شيء إلى هذا المفتاح قبل أن تقرر.",
		"keys-waiting": "لم تصل مفاتيح %s بعد. تُطلب مع أول رسالة منك على الأكثر، فتنتظرها الرسالة وتُشفَّر بها، ولا تُرسل مقروءة بدلًا من ذلك أبدًا.",
		"no-device":    "لم يسجّل %s الدخول بعد من تطبيق يشفّر. حين يحدث ذلك يُشفَّر ما تكتبه هنا. لا يُرسل شيء قبل ذلك، ولا يُرسل مقروءًا أبدًا.",
		"alone":        "لا أحد غيرك في هذه المجموعة بعد، ومن ينضم لاحقًا لا يستطيع قراءة ما شُفِّر قبله. أعد الإرسال حين يكون هنا أحد.",
		"outside":      "سترى كيف هي هذه المجموعة حين تدخلها.",
		"broken":       "ينبغي أن يكون مشفَّرًا ولا يمكن ذلك الآن، فلا يُرسل شيء. ولا يُرسل مقروءًا بدلًا من ذلك أبدًا.",
		"":             "لا يُعرف شيء عن المفاتيح هنا بعد: تُطلب مع أول رسالة.",
		"covers":       "ما يحميه القفل",
		"covered":      "الكلام والملفات، على طول الطريق بين الأجهزة. لا تستطيع الخوادم قراءتها.",
		"not":          "ما لا يحميه",
		"uncovered":    "· التفاعلات وسحب الرسائل: ترى الخوادم أي تفاعل ترسل، وقد توهم بأن رسالة سُحبت أو صُحّحت.\n· الأجهزة: من يستطيع فتح جهاز أو زرع برنامجًا فيه يقرأ معك. والسجل مقروء في مجلد هذا الحساب.\n· الإشعارات: ما يظهر على شاشة هاتف مقفل يراه غيرك.\n· النسخ: ما يحفظه الطرف الآخر أو يصوّره أو ينسخه احتياطيًا ليس في يدك.\n· من مع من: ترى الخوادم من يكتب إلى من، ومتى، وكم، ومن أين، ومن في أي غرفة، ومتى يكتب أحد أو يقرأ.",
	}
}

func lockUkrainian() map[string]string {
	return map[string]string{
		"locked":       "Те, що ви пишете тут, шифрується на цьому пристрої й відкривається лише на пристроях співрозмовника. Його ключі прийнято, коли їх побачили вперше; їх ще ніхто не звіряв. Звірте їх один раз, і самозванець не зможе непомітно стати між вами.",
		"verified":     "Те, що ви пишете тут, шифрується на цьому пристрої й відкривається лише на пристроях співрозмовника, і кожен ключ ви звірили. Якщо якийсь зміниться, ви дізнаєтеся, і на нього нічого не піде, доки ви не вирішите.",
		"open":         "Те, що ви пишете тут, не зашифровано: сервери на шляху і ті, хто ними володіє, можуть це прочитати й зберегти.",
		"changed":      "З'явився новий або інший ключ там, де ви вже звіряли. Можливо, це новий телефон; можливо, хтось хоче читати разом з вами. На цей ключ нічого не піде, доки ви не вирішите.",
		"keys-waiting": "Ключів %s ще немає. Їх запитають щонайпізніше з вашим першим повідомленням: воно зачекає на них і буде зашифроване ними, а відкритим не піде ніколи.",
		"no-device":    "%s ще не користується застосунком, що шифрує. Щойно це станеться, написане тут шифруватиметься. Доти нічого не надсилається, і відкритим воно не піде ніколи.",
		"alone":        "У цій групі ще нікого, крім вас, немає, а хто прийде пізніше, не прочитає зашифрованого раніше. Надішліть ще раз, коли хтось буде тут.",
		"outside":      "Якою є ця група, ви побачите, коли ввійдете.",
		"broken":       "Це має бути зашифровано, але зараз неможливо, тому нічого не надсилається. Відкритим воно не піде ніколи.",
		"":             "Про ключі тут ще нічого не відомо: їх запитають з першим повідомленням.",
		"covers":       "Що захищає замок",
		"covered":      "Слова та файли на всьому шляху між пристроями. Сервери не можуть їх прочитати.",
		"not":          "Чого він не захищає",
		"uncovered":    "· Реакції та відкликання: сервери бачать, яку реакцію ви поставили, і могли б удати, що повідомлення відкликано чи виправлено.\n· Пристрої: хто може розблокувати пристрій або поставив на нього програму, читає разом з вами. Історія лежить відкритою в теці цього профілю.\n· Сповіщення: що телефон показує на заблокованому екрані, бачать інші.\n· Копії: що співрозмовник зберіг, сфотографував чи поклав у резервну копію, вже не у ваших руках.\n· Хто з ким: сервери бачать, хто кому пише, коли, скільки й звідки, хто в якій кімнаті, коли хтось пише або прочитав.",
	}
}
