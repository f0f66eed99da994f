package invite

// words are the texts of the pages in one language. %s stands for a name.
type words struct {
	Lang, Dir string

	OpenTitle, FromTitle, CircleTitle, ContactTitle                  string
	OpenLede, CircleLede, ContactLede, GroupTitle, GroupLede         string
	GoneTitle, GoneLede, PacedTitle, PacedLede, BusyTitle, BusyLede  string
	WelcomeTitle, WelcomeLede                                        string
	GetApp, GetAppText, OtherDevices, NoteFDroid                     string
	OpenStep, OpenText, OpenButton, OpenFails, ScanText              string
	ChooseStep, ChooseText, HereTitle, MakeTitle, HereText           string
	Name, NameHint, Password, PasswordHint, Again, Create            string
	Taken, LooksAlike, Reserved, Mixed, BadName, Short, Differ, Easy string
	Until, ForYou, ForMany, Private                                  string
	YourAddress, CopyHint, SignIn, SignInChoose, SignInEnter, Forgot string
	Ask, AskText, Have, HaveText, InBrowser, OpenChats               string
	HaveAccountStep, HaveAccountText                                 string
}

func english() *words {
	return &words{
		Lang: "en", Dir: "ltr",
		OpenTitle:    "You are invited to %s",
		FromTitle:    "%s invites you to %s",
		CircleTitle:  "You are invited to %s on %s",
		ContactTitle: "%s would like to chat with you",
		OpenLede:     "For messages among people who know each other. All you need is an app, and a name of your choice.",
		CircleLede:   "You will find everybody from %s in your contacts, and they will find you. All you need is an app, and a name of your choice.",
		ContactLede:  "Open this invitation with the app in which you use your account on %s. You are in each other’s contacts at once.",
		GroupTitle:   "You are invited to the group %s",
		GroupLede:    "Its messages are for those who are in it. Open the link in the browser to join, with the account that you have or a new one.",
		GoneTitle:    "This invitation cannot be used",
		GoneLede:     "It may have been used already, be out of date or have been taken back, or a part of the link got lost on its way.",
		PacedTitle:   "One moment, please",
		PacedLede:    "There were many attempts from your network. Wait a few minutes, then try again.",
		BusyTitle:    "This did not work just now",
		BusyLede:     "It is not your fault, and your invitation is as good as before. Try again in a minute.",
		WelcomeTitle: "Welcome to %s",
		WelcomeLede:  "Your account is ready. Now sign in with an app.",

		GetApp: "Get an app", GetAppText: "Free, and without advertisements.", OtherDevices: "For other devices", NoteFDroid: "F-Droid, free of charge",
		OpenStep: "Open the invitation", OpenText: "The app knows then where you are invited, and does the rest.",
		OpenButton: "Open in the app", OpenFails: "Nothing happens? Then the app is not installed yet. Come back here when it is.",
		ScanText:   "Scan this code with the phone on which you want to chat.",
		ChooseStep: "Choose a name and a password", ChooseText: "The app asks you for both. That is all.",
		HereTitle: "Or make your account here", MakeTitle: "Make your account", HereText: "For apps that cannot open invitations. You sign in with it afterwards, on as many devices as you like.",
		Name: "Name", NameHint: "Letters, digits, dots, hyphens and underscores, without blanks; others will see it.", Password: "Password",
		PasswordHint: "At least 8 characters. Four words that do not belong together are easy to remember and hard to guess.",
		Again:        "Password, again", Create: "Make my account",
		Taken:      "Somebody has this name already. Choose another one.",
		LooksAlike: "This name looks too much like somebody else’s. Choose one that nobody can mistake for it.",
		Reserved:   "This name is kept for those who run the server. Choose another one.",
		Mixed:      "Write the name with the letters of one script only.",
		BadName:    "This cannot be a name. Use letters, digits, dots, hyphens and underscores, without blanks.",
		Short:      "The password needs at least 8 characters.",
		Differ:     "The two passwords are not the same. Type them once more.",
		Easy:       "This password would be guessed soon. Choose another one.",
		Until:      "Good until", ForYou: "This link is meant for you. Who has it can use it in your place, so pass it on to nobody.",
		ForMany:     "How many people can still use this link:",
		Private:     "This page loads nothing from elsewhere and sets no cookies.",
		YourAddress: "Your address", CopyHint: "Others find you by it. One tap or click selects it.",
		SignIn: "Sign in", SignInChoose: "Start it, and choose that you have an account.",
		SignInEnter: "Enter your address and your password.", Forgot: "Write the password down where only you find it: nobody can look it up for you.",
		Ask: "Ask for a new one", AskText: "Write to whoever sent you the link. To make another one takes them a moment.",
		Have: "You have an account already?", HaveText: "Then you need no invitation: open your app and sign in.",
		InBrowser: "Go on in the browser", OpenChats: "Open my chats",
		HaveAccountStep: "Have an account on this server", HaveAccountText: "This invitation is for people who have one. If you have none, ask for an invitation that comes with an account.",
	}
}

func arabic() *words {
	return &words{
		Lang: "ar", Dir: "rtl",
		OpenTitle:    "أنت مدعوّ إلى %s",
		FromTitle:    "دعوة من %s إلى %s",
		CircleTitle:  "أنت مدعوّ إلى %s على %s",
		ContactTitle: "يودّ %s أن يراسلك",
		OpenLede:     "للرسائل بين أناس يعرف بعضهم بعضًا. كل ما تحتاج إليه تطبيقٌ واسمٌ تختاره.",
		CircleLede:   "ستجد كل من في %s بين جهات اتصالك، وسيجدونك. كل ما تحتاج إليه تطبيقٌ واسمٌ تختاره.",
		ContactLede:  "افتح هذه الدعوة بالتطبيق الذي تستعمل فيه حسابك على %s، فيصير كلٌّ منكما في جهات اتصال الآخر فورًا.",
		GroupTitle:   "أنت مدعوّ إلى مجموعة %s",
		GroupLede:    "رسائلها لمن هم فيها. افتح الرابط في المتصفّح لتنضمّ إليها، بحسابك أو بحساب جديد.",
		GoneTitle:    "لا يمكن استعمال هذه الدعوة",
		GoneLede:     "ربما استُعملت من قبل، أو انتهت مدّتها، أو سُحبت، أو ضاع جزء من الرابط في الطريق.",
		PacedTitle:   "لحظة من فضلك",
		PacedLede:    "جاءت محاولات كثيرة من شبكتك. انتظر بضع دقائق ثم حاول من جديد.",
		BusyTitle:    "لم ينجح الأمر الآن",
		BusyLede:     "ليس الخطأ منك، ودعوتك صالحة كما كانت. حاول من جديد بعد دقيقة.",
		WelcomeTitle: "أهلًا بك في %s",
		WelcomeLede:  "حسابك جاهز. سجّل الدخول الآن من أحد التطبيقات.",

		GetApp: "احصل على تطبيق", GetAppText: "مجاني وبلا إعلانات.", OtherDevices: "لأجهزة أخرى", NoteFDroid: "F-Droid، مجانًا",
		OpenStep: "افتح الدعوة", OpenText: "عندئذ يعرف التطبيق إلى أين دُعيت، ويتولّى الباقي.",
		OpenButton: "افتحها في التطبيق", OpenFails: "لم يحدث شيء؟ إذن لم يُثبَّت التطبيق بعد. عُد إلى هنا بعد تثبيته.",
		ScanText:   "صوّر هذا الرمز بالهاتف الذي تريد المراسلة منه.",
		ChooseStep: "اختر اسمًا وكلمة مرور", ChooseText: "يسألك التطبيق عنهما، وهذا كل شيء.",
		HereTitle: "أو أنشئ حسابك هنا", MakeTitle: "أنشئ حسابك", HereText: "للتطبيقات التي لا تفتح الدعوات. بعدها تسجّل الدخول به على ما شئت من الأجهزة.",
		Name: "الاسم", NameHint: "حروف وأرقام ونقاط وشرطات وشرطات سفلية، بلا مسافات؛ وسيراه الآخرون.", Password: "كلمة المرور",
		PasswordHint: "ثمانية أحرف على الأقل. أربع كلمات لا رابط بينها يسهل تذكّرها ويصعب تخمينها.",
		Again:        "كلمة المرور مرة أخرى", Create: "أنشئ حسابي",
		Taken:      "هذا الاسم لشخص آخر. اختر غيره.",
		LooksAlike: "هذا الاسم يشبه اسم شخص آخر كثيرًا. اختر اسمًا لا يلتبس به.",
		Reserved:   "هذا الاسم محفوظ لمن يديرون الخادم. اختر غيره.",
		Mixed:      "اكتب الاسم بحروف لغة واحدة.",
		BadName:    "لا يصلح هذا اسمًا. استعمل الحروف والأرقام والنقاط والشرطات والشرطات السفلية، بلا مسافات.",
		Short:      "كلمة المرور تحتاج إلى ثمانية أحرف على الأقل.",
		Differ:     "كلمتا المرور غير متطابقتين. اكتبهما من جديد.",
		Easy:       "كلمة المرور هذه تُخمَّن سريعًا. اختر غيرها.",
		Until:      "صالحة حتى", ForYou: "هذا الرابط لك. من حصل عليه استطاع أن يستعمله مكانك، فلا تعطه لأحد.",
		ForMany:     "عدد من يمكنهم استعمال هذا الرابط بعد:",
		Private:     "لا تحمّل هذه الصفحة شيئًا من مكان آخر، ولا تحفظ في متصفّحك شيئًا.",
		YourAddress: "عنوانك", CopyHint: "به يجدك الآخرون. نقرة واحدة تحدّده.",
		SignIn: "سجّل الدخول", SignInChoose: "شغّله، واختر أن لديك حسابًا.",
		SignInEnter: "أدخل عنوانك وكلمة المرور.", Forgot: "اكتب كلمة المرور حيث لا يجدها سواك، فلا أحد يستطيع أن يستخرجها لك.",
		Ask: "اطلب دعوة جديدة", AskText: "راسل من أرسل إليك الرابط، فإنشاء غيره لا يأخذ منه إلا لحظة.",
		Have: "لديك حساب من قبل؟", HaveText: "إذن لا تحتاج إلى دعوة: افتح تطبيقك وسجّل الدخول.",
		InBrowser: "تابع في المتصفّح", OpenChats: "افتح محادثاتي",
		HaveAccountStep: "ليكن لك حساب على هذا الخادم", HaveAccountText: "هذه الدعوة لمن لديهم حساب. إن لم يكن لديك واحد فاطلب دعوة معها حساب.",
	}
}
