### Every word of every page. A key that is used and not here, or here and not used, fails a test.
### What people read says: what happened, why if we know, what to do next. Buttons are verbs.

## On many pages
continue = Continue
cancel = Cancel
cancel-to = Cancel and go back to { $application }
back-to = Go back to { $application }
to-account = Go to my account
sign-in = Sign in
sign-in-again = Sign in again
not-you = Not you?
or = or
username = User name
username-or-email = User name or email
email = Email address
password = Password
save = Save
rename = Rename
remove = Remove
keep = Keep it
request-id = Request
application-says = { $application }:
application-policy = Privacy policy
application-terms = Terms
frame-help = Help
frame-privacy = Privacy
frame-skip = Skip to the content
frame-nav = Account
frame-signed-in-as = Signed in as
frame-sign-out = Sign out

## Sign-in
login-title = Sign in
login-to = Sign in to { $application }
login-account = with your { $realm } account
login-again = Confirm that it’s you
login-again-application = { $application } wants to be sure before it goes on.
login-again-text = You are signed in. This step needs a fresh proof.
login-elsewhere = My passkey is on another device
login-elsewhere-text = Choose “Sign in with a passkey”. When your browser asks, pick your phone, tablet or security key. Or type your user name to see other ways.
login-other-way = Use another account or sign in another way
login-wrong-password = That didn’t match
login-wrong-password-text = The user name and password do not belong together. Check both, or use a passkey.
login-throttled = Too many tries
login-throttled-text = To protect this account, passwords are not checked for { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
 }. A passkey works right away.
login-expired = This page was open too long
login-expired-text = For your safety it expired. Nothing you typed was lost: just go on.
login-recovery = I cannot sign in
login-signed-up = Your account is ready
login-signed-up-text = Sign in once with the passkey you just made.
login-new = New here?
login-sign-up = Create an account
login-passkey-needed = A passkey is needed
login-passkey-needed-text = This account does not sign in with a password. Use your passkey.

## Passkeys, in every ceremony
passkey-login = Sign in with a passkey
passkey-use = Use your passkey
passkey-waiting = Waiting for your passkey…
passkey-stop = Stop waiting
passkey-closed = No passkey was used
passkey-closed-text = The window was closed, or this device has no passkey for { $host }. Try again: in the window you can also choose your phone, by scanning a code, or plug in your security key.
passkey-alone = No passkey was used
passkey-alone-text = The window was closed, or this device has no passkey for { $host }. This browser cannot ask a phone: plug in your security key, or open this page where your passkey is.
passkey-unmade = No passkey was made
passkey-unmade-text = The window was closed, or the device could not make one. Nothing has changed. Try again, or choose another device.
passkey-late = It took too long
passkey-late-text = No passkey answered in time. Have it at hand, then try again.
passkey-already = This one is already registered
passkey-already-text = The device or security key you chose has a passkey for your account. Choose another one.
passkey-host = Passkeys do not work at this address
passkey-host-text = They belong to { $host }, and the address of this page is another one. Open the page at { $host } and try again.
passkey-kind = This device makes other passkeys
passkey-kind-text = It makes none of the kind that { $host } accepts. Choose another device or security key.
passkey-unable = This device is not ready for passkeys
passkey-unable-text = It has no room for one, or no PIN, fingerprint or face set up to unlock it. Set that up, or choose another device.
passkey-pending = Another window still waits for a passkey
passkey-pending-text = It may be behind this one, or in another tab. Close it, then try again.
passkey-broken = The device did not answer as it should
passkey-broken-text = Unlock it, or plug your security key in again, then try once more. If that does not help, restart the browser or choose another device.
passkey-forbidden = Passkeys are switched off for this page
passkey-forbidden-text = Your browser knows them, but a rule of the web server or of your organisation (a permissions policy) forbids them here. Tell your administrator.
passkey-certificate = This page’s certificate is not trusted
passkey-certificate-text = Browsers use no passkey on such a page, and you should type no password here either. Tell your administrator.
passkey-insecure = Passkeys need a secure connection
passkey-insecure-text = This page was opened without it. Open it at { $host }, with an address that begins with https.
passkey-unsupported = This browser cannot use passkeys
passkey-unsupported-text = Update it, or use another browser or device.
passkey-embedded = Open this page in your browser
passkey-embedded-text = You are inside another app, which does not let your passkey through. If the button keeps you here, copy the address and paste it into your browser.
passkey-embedded-open = Open in the browser
passkey-embedded-copy = Copy the address
passkey-embedded-copied = Copied
passkey-embedded-address = Address of this page
passkey-offline = The server could not be reached
passkey-offline-text = Check your connection, then try again. Nothing was lost.
passkey-refused = That did not work
passkey-refused-text = The server did not accept it. Try again; if it happens again, tell your administrator the request below.
passkey-noscript = Passkeys need JavaScript
passkey-noscript-text = It is switched off in this browser. Switch it on for this page to use a passkey.
passkey-synced = Synced
passkey-this-device = This device only
passkey-one-phone = Only on one phone
passkey-security-key = Security key
passkey-synced-text = Your password manager keeps copies of it on your other devices.
passkey-this-device-text = It exists on one device alone and is lost with it.
passkey-one-phone-text = It exists on one phone or tablet alone and is lost with it.
passkey-security-key-text = It exists on this key alone and is lost with it. A key that does not know your finger asks for its PIN.
passkey-provider = Kept by { $name }
passkey-works-at = Works on { $host }
passkey-suspended = Set aside
passkey-current = Used for this session
passkey-created = Created
passkey-used = Last used
passkey-unused = Never used

## What this browser can do
capabilities-title = What this browser can do
capabilities-text = Told by the browser you are using now; another one may know more.
capabilities-device = Passkeys of this device
capabilities-device-text = Made here and unlocked by fingerprint, face or PIN.
capabilities-synced = Synced passkeys
capabilities-synced-text = A password manager brings them to your other devices. The list above shows what yours does.
capabilities-phone = A phone or tablet nearby
capabilities-phone-text = You scan a code and use the passkey on it; both need Bluetooth.
capabilities-autofill = Passkeys in the sign-in field
capabilities-autofill-text = Offered like a saved password, without a click on the button.
capabilities-key = Security keys
capabilities-key-text = Plugged in or held against this device, where it has a port or reader for them.
capabilities-yes = Yes
capabilities-no = No
capabilities-unknown = Not known
capabilities-noscript = JavaScript is switched off in this browser: without it, no passkey can be used here.

## Second factor
second-title = Use your passkey
second-after-password = Your password is right. This account also needs a passkey.
second-step-up = This step needs a passkey.
second-step-up-application = { $application } asks for a stronger proof than the way you signed in.
second-without = Continue without it
second-totp = Use your authenticator app
totp-login-title = Enter the code from your app
totp-login-text = Your password is right. Open your authenticator app and type the six digits it shows for this account.
totp-login-after-passkey = Your passkey is right. Open your authenticator app and type the six digits it shows for this account.
totp-login-voluntary = The application asks for a stronger proof than the way you signed in.
totp-login-password = Use your password
totp-code = Code
code-wrong = That code didn’t match
code-wrong-text = It may be mistyped, used already or expired. Compare it once more, or use another one.
code-throttled = Too many wrong codes
code-throttled-text = To protect this account, codes are not checked for { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
 }. A passkey works right away.
code-not-enough = Both codes are needed
code-not-enough-text = Type the one from the mail and one of your recovery codes.
code-last-way-in = The app was not removed
code-last-way-in-text = Without it you could not sign in. Set up another way first.

## Recovery
recovery-title = Get back into your account
recovery-ask = Get back into your account
recovery-ask-text = Lost your passkey, or forgot your password? Tell us whose account it is.
recovery-prove = Show that it’s you
recovery-prove-text = If there is such an account, this is how you get back into it.
recovery-mailed = Code from the mail
recovery-mailed-help = We sent eight digits to the address of the account. They work for 10 minutes, in this browser only.
recovery-kept = Recovery code
recovery-kept-help = One of those you kept. Each works once.
recovery-kept-both = One of those you kept. With both codes you need not wait.
recovery-kept-all = One of those you kept. Both codes are needed.
recovery-wait = A little patience
recovery-wait-text = Your account is better protected than what you showed, so we told it by mail, where this can be stopped. Come back with this browser at the time below; with a mailed code and a recovery code together there is no waiting. If you find a passkey of yours meanwhile, sign in with it.
recovery-until = You can go on from
recovery-ready = You can go on
recovery-ready-text = Nobody objected. Make a passkey or choose a password now; then sign in with it.
recovery-over = This recovery is over
recovery-over-text = It was cancelled or used already. If you still cannot sign in, begin again.
recovery-off = Ask your administrator
recovery-off-text = Accounts are recovered by an administrator here: ask for a link to make a new passkey.
recovery-again = Begin again
recovery-back = Back to sign-in
recovery-cancel = Was it not you?
recovery-cancel-text = Somebody is about to get back into your account. If it was not you, stop it: the way you sign in stays as it is.
recovery-cancel-confirm = Stop it

## What an application demands of passkeys
demand-security-key = { $application } only takes security keys.
demand-device = { $application } only takes passkeys of the device in front of you.
demand-phone = { $application } only takes passkeys on phones and tablets.
demand-security-key-or-device = { $application } only takes security keys and passkeys of the device in front of you.
demand-security-key-or-phone = { $application } only takes security keys and passkeys on phones and tablets.
demand-device-or-phone = { $application } only takes passkeys of this device, phones and tablets, no security keys.
demand-attested = { $application } only takes passkeys whose make is proved. Allow it when your browser asks to share the make and model.
demand-models = { $application } only takes certain models. Your administrator can tell you which.
demand-device-bound = { $application } takes no passkeys that are synced between devices.

## A passkey of another address
passkey-elsewhere = Use a passkey of { $host }
away-title = Use your passkey
away-text = It works at { $host }. Then you go on at { $home }.
away-back = Back to { $home } without it

## Making a passkey in the midst of a sign-in
enrol-title = Make a passkey
enrol-nudge = Next time you sign in with your fingerprint, face or PIN instead of your password. It takes half a minute.
enrol-required = A passkey is required here. It takes half a minute, and from then on you sign in with your fingerprint, face or PIN.
enrol-demanded = None of your ways to sign in is accepted here. Make a passkey of a kind that is.
enrol-demanded-application = { $application } asks for a passkey of a kind that you do not have yet. Make one to go on.
enrol-moved = This service has moved to { $host }. Make a passkey for the new address now; the old one will stop working.
enrol-due = You can put this off until { $when }.
enrol-this-device = Make it on this device
enrol-phone = Make it on a phone or tablet
enrol-security-key = Make it on a security key
enrol-later = Not now
enrol-code-text = Before your first passkey, show that it is you: a password alone could be stolen.
mailed-code-send = Mail a code to { $address }
mailed-code-again = Send another code
mailed-code-help = We sent eight digits to { $address }. They work for 10 minutes, in this browser only. Look among the junk, too.
enrol-link = You need a link
enrol-link-text = Your administrator can send you a link (an access pass) with which you make your first passkey here.

## Account chooser
choose-title = Choose an account
choose-application = to continue to { $application }
choose-text = to continue
choose-current = Continue as { $username }
choose-other = Use another account

## Consent
consent-title = Allow access
consent-heading = { $application } wants to know who you are
consent-host = The application at { $host } gets:
consent-gets = It gets:
consent-identity = Who you are
consent-identity-text = An identifier of your account
consent-profile = Your profile
consent-email = Your email address
consent-phone = Your telephone number
consent-address = Your postal address
consent-groups = Your groups
consent-roles = Your roles in it
consent-offline = Access while you are away
consent-offline-text = It stays signed in after you sign out here
consent-other = Another permission
consent-empty = Nothing is set yet; it gets what you add later
consent-allow = Allow
consent-unverified = This application is not verified
consent-unverified-text = It registered itself and nobody here has checked it. Allow only what you started yourself.
consent-until = We remember this and do not ask again until the application wants more.
consent-as = You are signed in as { $username }.

## Devices
device-title = Connect a device
device-text = Type the code that your device shows.
device-code = Code on your device
device-enter = Enter a code
device-beware = Only type a code from a device in front of you. Nobody from support ever needs you to.
device-wrong-code = This code is not known
device-wrong-code-text = It may be mistyped, or its ten minutes are over. Compare it with your device, or let the device show a new one.
device-throttled = Too many wrong codes
device-throttled-text = To protect devices, codes are not checked for { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
 }. Then try again.
device-over = This code is over
device-over-text = It was answered already, or its ten minutes have passed. If the device still waits, let it show a new code.
device-cancelled = Nothing was allowed
device-cancelled-text = You left before the end, or this application is not for your account. The device got no access.
device-refused = This device cannot be allowed from here
device-refused-text = Its application asks for a stronger proof than a code can give. Tell whoever runs it.
device-confirm-title = Allow a device
device-confirm-heading = Allow { $application } on your device?
device-confirm-compare = Does your device show exactly this code?
device-confirm-from = Asked for from { $address }
device-confirm-beware = Did you start this yourself?
device-confirm-beware-text = The device gets into your account as you. If somebody sent you the code or a link, or asked you for it, do not allow it.
device-deny = Do not allow

## Security
security-title = Security
security-text = How you sign in to your account
security-passkeys = Passkeys
security-count = { $n } of { $limit }
security-passkeys-text = A passkey lets you in with your fingerprint, your face or a PIN. It works on this site only, so nobody can trick you out of it.
security-new-name = New name
security-protected = Protected
security-protected-text = This is your last way in, so it cannot be removed. Add another passkey first.
security-add = Add a passkey
security-name = Name
security-name-help = So that you can tell your passkeys apart. Left empty, we name it after the device.
security-add-here = Add a passkey on this device
security-add-phone = On a phone or tablet
security-add-key = On a security key
security-full = You have { $limit } passkeys, the most an account can have. Remove one to add another.
security-other = Other ways in
security-password-set-text = It signs you in from now on.
security-password-removed = Password removed
security-password-removed-text = Nobody can guess it any more.
security-totp-set = Authenticator app added
security-totp-set-text = From now on we may ask for a code from it after your password.
security-totp-removed = Authenticator app removed
security-totp-removed-text = Its codes are worth nothing any more. You may delete the account in the app too.
security-recovery-cancelled = It was stopped
security-recovery-cancelled-text = Nobody got into your account. If you do not know who tried, make new recovery codes and change the password of your mailbox.
factors-recovery = Somebody is getting back into your account
factors-recovery-text = They said they lost their ways to sign in. If it was not you, stop it now. Otherwise they can go on from
factors-password-change = Change password
factors-password-set = Set password
factors-totp = Authenticator app
factors-totp-since = Set up
factors-totp-none = Six digits from an app on your phone, on top of your password.
factors-totp-add = Set up
factors-codes = Recovery codes
factors-codes-none = None yet. With one of them you get back in when everything else is lost.
factors-codes-left = { $n ->
    [one] One is left.
   *[other] { $n } are left.
 }
factors-codes-make = Make codes
last-way = This is your last way in
last-way-mail = Without it you get back in only by a code mailed to { $email }. Be sure that you can read mail there.
last-way-code = Without it you get back in only by a recovery code. You have { $n } left: be sure that you find them.
last-way-either = Without it you get back in only by a code mailed to { $email }, or one of the { $n } recovery codes that you have left.
last-way-both = Without it you get back in only by both a code mailed to { $email } and one of the { $n } recovery codes that you have left.
factors-protected = This cannot be removed: without it you could not sign in. Set up another way first.
new-password-title = Set a password
new-password-change = Change your password
new-password-help = { $n } characters or more. A passphrase of a few words is good.
new-password-off = Nobody signs in with a password here.
new-password-current = Password now
new-password = New password
new-password-keep = Stay signed in everywhere
new-password-keep-text = Otherwise we sign you out on all other devices and in applications.
new-password-remove = Remove the password
new-password-remove-last = We sign you out on all other devices.
new-password-remove-text = You go on signing in with what is left. We sign you out on all other devices.
new-password-too-short = The password is too short
new-password-too-short-text = Choose one of { $n } characters or more.
new-password-common = Everybody tries this password first
new-password-common-text = It is on lists of passwords that were stolen. Choose another one, such as a few words that nobody would expect together.
new-password-pattern = The password is a simple pattern
new-password-pattern-text = It repeats one piece or follows a row. Choose another one, such as a few words that nobody would expect together.
new-password-name = The password is made of your name
new-password-name-text = Whoever attacks your account knows your user name, your address and the name of this service. Choose something else.
new-password-advice = This password is easy to guess
new-password-advice-text = Choose a better one, or type it again to use it all the same.
advice-rows = Keys beside each other are tried early.
advice-repeats = Repeating words or signs adds little.
advice-sequences = Avoid sequences such as abc or 6543.
advice-common = Many people choose this one, or one like it.
advice-names = Names are tried early.
advice-dates = Avoid years and dates, above all your own.
advice-tricks = Capitals, signs for letters and words written backwards help little.
advice-words = Add a word or two that nobody would expect there.
new-password-wrong-current = The password you have now didn’t match
new-password-wrong-current-text = Type it once more. If you forgot it, sign in with a passkey: then you can set a new one without it.
new-password-throttled = Too many tries
new-password-throttled-text = To protect this account, passwords are not checked for { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
 }. Sign in with a passkey to set a new one right away.
new-password-last-way-in = The password was not removed
new-password-last-way-in-text = It is your last way in. Add a passkey first.
totp-title = Set up an authenticator app
totp-text = It shows six digits that change every 30 seconds. A passkey is safer and quicker; an app is good where passkeys do not work.
totp-set-text = It shows six digits that we may ask for after your password.
totp-scan = Scan this with the app on your phone.
totp-qr = QR code for your authenticator app
totp-type = I cannot scan it
totp-type-text = Type this key into the app. It is based on time, with six digits.
totp-first-code = Code that the app shows
totp-first-code-help = Six digits: so that we both know it works.
totp-confirm = Add the app
totp-remove = Remove the app
codes-text = Each of the ten codes gets you back into your account once, when you have lost all else. Keep them where you keep what is worth most to you.
codes-wait = One code alone opens an account with a passkey only after { $hours } hours. We tell you at once, so that you can stop it.
codes-new = You see these codes only now
codes-new-text = Print them or write them down. They take the place of older ones.
codes-done = I have kept them
codes-make = Make ten codes
codes-replaced = New codes replace them.
factors-password-is-set = One is set.
security-password-set = Password set
factors-password-unset = None is set, so nobody can guess it.
security-added = Passkey added
security-added-text = “{ $name }” signs you in from now on.
security-renamed = Passkey renamed
security-renamed-text = It is called “{ $name }” now.
security-removed = Passkey removed
security-removed-text = It does not sign in any more. You may delete it on your device too.
security-bad-name = The name was not changed
security-bad-name-text = A name has 1 to 80 characters. Type another one.
security-last-way-in = The passkey was not removed
security-last-way-in-text = It is your last way in, and nothing would bring you back. Add another passkey first.
standing-none = One step missing: a passkey
standing-none-code = Make your first passkey below: you confirm it once with a code that we mail to you.
standing-none-link = It is quicker than a password, and nobody can steal it with a false page. Ask your administrator for a link to make one.
standing-none-text = Add one below. It is quicker than a password, and nobody can steal it with a false page.
standing-one = One step missing: a second passkey
standing-one-text = If this one is lost, getting back in takes longer. Add one on another device or a security key.
standing-bound = One step missing: a passkey that outlives a device
standing-bound-text = Each of yours is bound to one device. Add one that your password manager keeps, or put a security key in a safe place.
standing-good = Your account is well protected
standing-good-text = You have { $n } passkeys: losing one does not lock you out.
security-counts = { $first ->
    [one] 1 thing lets you begin to sign in
   *[other] { $first } things let you begin to sign in
 }; { $second ->
    [0] none can be asked for on top.
    [one] 1 can be asked for on top.
   *[other] { $second } can be asked for on top.
 }
security-ask = Ask for my passkey too
security-ask-on = After your password you are asked for a passkey: a password alone opens nothing.
security-ask-off = Your password alone opens your account.
security-ask-start = Ask for it
security-ask-stop = Do not ask
security-asks-on = Your passkey is asked for too
security-asks-on-text = After your password, from the next sign-in on.
security-asks-off = Your passkey is not asked for any more
security-asks-off-text = Your password alone opens your account now.
to-security = Back to Security

## Sessions, applications, activity
sessions-title = Where you are signed in
sessions-text = Each browser in which somebody is signed in as you. End what you do not know.
sessions-all = Show all
sessions-ended = The session has ended
sessions-ended-text = That browser has to sign in again.
sessions-others-ended = All other sessions have ended
sessions-others-ended-text = Applications lost what was granted in them.
session-unknown = Unknown browser
session-current = This browser
session-active = Active
session-created = Signed in
session-place = network { $place }
session-end = Sign out there
session-end-others = End all other sessions
applications-title = Applications
applications-text = What you let applications see and do. What you take back ends at once; they may ask again.
applications-all = Show all
applications-none = No application gets anything of yours. Those that you sign in to appear here.
applications-revoked = The application has nothing of yours any more
applications-revoked-text = It may have kept what it saw before. It asks again when you sign in to it.
application-since = Allowed
application-not-asked = Provided by your organisation
application-offline = Also while you are away
application-unverified = Not verified
application-gets = What it gets
application-revoke = Take back
activity-title = Recent activity
activity-text = What happened to your account. Times and networks as we saw them.
activity-all = Show all
activity-none = Nothing has happened yet.
activity-older = Older
activity-by-operator = by an administrator
activity-factor = How I sign in
activity-you = Was this you?
activity-not-you = If not, end all other sessions first, then remove the passkey or change the password that is not yours.
activity-sign-in = Signed in
activity-sign-in-failed = Somebody typed a wrong password or code
activity-session-ended = A session was ended
activity-consent-given = Access was allowed to { $what }
activity-consent-withdrawn = Access was taken back from { $what }
activity-device-approved = A device was let in: { $what }
activity-device-denied = A device was refused: { $what }
activity-passkey-registered = Passkey “{ $what }” was added
activity-passkey-renamed = A passkey was renamed to “{ $what }”
activity-passkey-removed = Passkey “{ $what }” was removed
activity-passkey-cloned = Passkey “{ $what }” may have been copied
activity-passkey-suspended = Passkey “{ $what }” was set aside
activity-pass-issued = An access link was made
activity-password-set = The password was changed
activity-password-removed = The password was removed
activity-totp-set = An authenticator app was added
activity-totp-removed = The authenticator app was removed
activity-recovery-codes-set = New recovery codes were made
activity-recovery-codes-removed = The recovery codes were removed
activity-recovery-asked = Somebody wants back into the account
activity-recovery-failed = Somebody who wants back in typed a wrong code
activity-recovery-waits = Somebody may get back in after a while
activity-recovery-opened = Somebody got back in
activity-recovery-cancelled = Getting back in was stopped
activity-account-created = The account was made
activity-account-changed = The account’s data were changed
activity-account-email-changed = The address was changed
activity-account-state-changed = { $what ->
    [active] The account was switched on
    [locked] The account was locked
   *[other] The account was switched off
 }
activity-account-email-verified = The address was confirmed
activity-account-deleted = The account was deleted
activity-account-second-factor = { $what ->
    [on] The passkey is asked for after the password
   *[off] The passkey is not asked for after the password any more
 }

## Removing a passkey
remove-title = Remove this passkey?
remove-text = It will not sign you in any more. This cannot be undone.
remove-left = It stays in your password manager or device until you delete it there.
remove-left-key = It stays on the security key until you delete it there.
remove-confirm = Remove passkey
remove-confirm-last = Remove my last way in

## Sign-up
sign-up-title = Create your account
sign-up-text = for { $realm }
sign-up-application = It lets you in to { $application }.
sign-up-passkey = Now your passkey
sign-up-passkey-text = It takes the place of a password. Your account is made with it.
sign-up-problem = This does not fit yet
sign-up-change = Change what I wrote
sign-up-have = You have an account?
field-optional = (optional)
field-choose = Choose…
field-fixed = An administrator sets this.
claim-name = Full name
claim-given_name = First name
claim-middle_name = Middle name
claim-family_name = Last name
claim-nickname = Nickname
claim-profile = Profile page
claim-picture = Address of a picture
claim-website = Website
claim-gender = Gender
claim-birthdate = Date of birth
claim-zoneinfo = Time zone
claim-locale = Language
claim-email = Email address
claim-phone_number = Phone number

## Profile
profile-title = Your profile
profile-text = What is known about you here. Applications see what you agree to show them.
profile-about = About you
profile-fixed = An administrator keeps these details. Ask them if something is wrong.
profile-saved = Saved
profile-saved-text = Applications see it from your next sign-in on.
profile-unfit = This does not fit yet
profile-unfit-text = Nothing was saved. Look at the marked fields.
profile-changed = Somebody changed this at the same time
profile-changed-text = Nothing was saved. Load the page again, and then your change.
profile-email-none = You have given none.
profile-email-verified = Verified
profile-email-unverified = Not verified
profile-email-saved = Your address was changed
profile-email-saved-text = Verify it, so that applications can rely on it.
profile-new-email = New address
profile-new-email-help = It counts as not verified until you enter a code that is mailed there.
profile-change-email = Change the address
profile-again = To change it,
profile-again-link = sign in again
profile-verify = Verify
profile-verify-text = Get a code by mail and enter it here: that shows the address is yours.
profile-send-code = Mail me a code
profile-another-code = Mail another code
profile-code = Code from the mail
profile-code-help = It works once, for 10 minutes.
profile-code-sent = A code is on its way
profile-code-sent-text = Look into your mailbox, also among the junk, and enter it here.
profile-wrong-code = That is not the code
profile-wrong-code-text = Look at the latest mail and try again.
profile-code-over = This code is over
profile-code-over-text = It was used or is too old, or your address changed since. Get another one.
profile-verified = Your address is verified
profile-verified-text = Applications that you show it to can rely on it.
profile-throttled = Too many tries
profile-throttled-text = To protect you and others, addresses and codes are not checked, nor codes mailed, for { $minutes ->
    [one] a minute
    [1440] a day
   *[other] { $minutes } minutes
 }.

## Set-up
setup-title = Set up your account
setup-code = Your code
setup-code-text = Type in the code that your administrator gave you. It works once.
setup-owner = Welcome to { $realm }
setup-owner-text = Make yourself its owner: the first account, which may change everything.
setup-pass = Welcome, { $username }
setup-pass-text = Create a passkey for your account, and you can sign in.
setup-pass-password = Choose a password, and you can sign in. No passkey can be made with this link.
setup-nothing = Nothing can be set up at present
setup-nothing-text = No new passkeys are accepted here. Ask your administrator; the link still works afterwards.
setup-create = Create a passkey
setup-password = Choose a password
setup-password-help = { $n } characters or more. A passphrase of a few words is good.
setup-set-password = Set password
setup-why = A passkey lets you in with your fingerprint, your face or a PIN. You do not have to remember anything.
setup-until = This link works once, until
message-passkey-created = Your passkey is ready
message-passkey-created-text = Sign in with it once, so that we both know it works.
message-passkey-created-next = Sign in with your passkey
message-password-set = Your password is set
message-password-set-text = Sign in with it now.
message-password-set-next = Sign in
message-recovery-cancelled = It was stopped
message-recovery-cancelled-text = Nobody got into your account. If you do not know who tried, sign in, make new recovery codes, and change the password of your mailbox.
message-recovery-cancelled-next = Go to my account
message-recovery-stopped = Somebody tried to get into your account
message-recovery-stopped-text = They said they had lost the ways to sign in. Since you signed in, we stopped it. If it was you, there is nothing to do. If not, they may read your mail or have your recovery codes: change the password of your mailbox and make new codes on your security page.
message-recovery-stopped-next = Go on
message-device-allowed = Your device is connected
message-device-allowed-text = Go back to it: it goes on by itself in a few seconds. You may close this page.
message-device-allowed-next = Go to my account
message-device-denied = The device was not allowed
message-device-denied-text = It got no access, and there is nothing more to do. If somebody sent you its code, they tried to get into your account.
message-device-denied-next = Go to my account

## Sign-out
logout-title = Sign out?
logout-application = { $application } asks to sign you out here, and with it of what you opened from here.
logout-text = You will be signed out here, and of what you opened from here.
logout-stay = Stay signed in
logged-out = You are signed out
logged-out-text = On a computer that others use, close the browser too.
logout-frames-text = Signing you out of the applications you opened. If nothing happens, continue yourself.
logged-in-still = You are still signed in
logged-in-still-text = Nothing has changed.

## Going on
go-on-title = One moment
go-on-application = Taking you to { $application }
go-on-text = If nothing happens, continue yourself.

## Errors
error-owner = If you run the application:
error-code = Code
error-unknown-application = This application is not known here
error-unknown-application-text = The link you followed names an application that is not registered, so we stopped. Go back and tell whoever runs it.
error-redirect-mismatch = This link cannot be used
error-redirect-mismatch-text = The application asked to return to an address that is not registered for it, so we stopped to protect you. Go back and tell whoever runs it.
error-bad-request = The application made a mistake
error-bad-request-text = Its request could not be understood, so we stopped. Go back and start again; if it happens again, tell whoever runs it.
error-expired = This took too long
error-expired-text = For your safety a sign-in ends after a while. Go back to the application and start again.
error-cookies = Your browser did not send our cookie
error-cookies-text = It is blocked, or this page was opened in another browser. Allow cookies for this site, then start again.
error-link-over = This link is over
error-link-over-text = It works once and for a limited time. Ask your administrator for a new one.
error-not-entered = Enter the code first
error-not-entered-text = The code of this device was not entered in this browser, so nothing can be allowed here. If somebody sent you this link, close the page. If the device is in front of you, enter its code.
error-not-found = There is no page here
error-not-found-text = The address may be mistyped, or the page has moved.
error-forbidden = This is not for your account
error-forbidden-text = You are signed in, but this page needs rights you do not have. Ask your administrator.
error-too-many = Too many requests
error-too-many-text = Something sends them from your network faster than a person could. Wait a minute, then reload the page.
error-internal = Something broke on our side
error-internal-text = It is not your fault and we have a record of it. Reload the page; if it stays broken, tell your administrator the request below.
error-unavailable = We are busy for a moment
error-unavailable-text = Reload the page in a few seconds.

## The demo application
demo-title = Demo application
demo-initials = D
demo-text = A small application that lets people sign in with the identity provider and shows what it learns.
demo-issuer = Identity provider:
demo-signed-in = You are signed in
demo-signed-in-text = This is what the identity provider told the application.
demo-how = How you signed in
demo-acr = Level (acr)
demo-amr = Methods (amr)
demo-auth-time = When (auth_time)
demo-none = not said
demo-userinfo = About you (userinfo)
demo-claims = ID token
demo-step-up = Prove it again with a passkey
demo-error = The sign-in did not happen
demo-error-text = The identity provider answered:
demo-again = Start again

## Mails
mail-hello = Hello { $name },
mail-hello-you = Hello,
mail-when = When: { $at }
mail-from = From: { $client }, network { $place }
mail-by-operator = By: an administrator
mail-not-you = Was it not you? Sign in, end all sessions and remove what is not yours:
mail-ask = Questions? Ask the people who run { $realm }.
mail-why = You get this because it concerns your account “{ $username }” at { $realm } ({ $host }). It cannot be switched off.
mail-why-address = You get this because somebody gave this address at { $realm } ({ $host }).
mail-code-life = It works for { $minutes } minutes, once.
mail-code-careful = Type it in at { $host } only, and give it to nobody: whoever asks you for it by telephone or mail is a thief.
mail-passkey-registered-subject = A passkey was added to your { $realm } account
mail-passkey-registered = { $what ->
    [none] A passkey was added to your account. Whoever has it can sign in as you.
   *[other] The passkey “{ $what }” was added to your account. Whoever has it can sign in as you.
 }
mail-passkey-registered-automatic = { $what ->
    [none] When you signed in with your password, your browser saved a passkey for you, without asking. It can sign you in from now on. Your password works as before until you have used the passkey. If you do not want it, remove it on the page below and in your password manager.
   *[other] When you signed in with your password, your browser saved the passkey “{ $what }” for you, without asking. It can sign you in from now on. Your password works as before until you have used the passkey. If you do not want it, remove it on the page below and in your password manager.
  }
mail-passkey-removed-subject = A passkey was removed from your { $realm } account
mail-passkey-removed = { $what ->
    [none] A passkey was removed from your account. It does not sign in any more, and the sessions it opened have ended.
   *[other] The passkey “{ $what }” was removed from your account. It does not sign in any more, and the sessions it opened have ended.
 }
mail-passkey-cloned-subject = A passkey of your { $realm } account may have been copied
mail-passkey-cloned = { $what ->
    [none] Somebody used a passkey in a way that suggests a second copy of its key. If you use it yourself every day, remove it and add another one.
   *[other] Somebody used the passkey “{ $what }” in a way that suggests a second copy of its key. If you use it yourself every day, remove it and add another one.
 }
mail-passkey-suspended-subject = A passkey of your { $realm } account was set aside
mail-passkey-suspended = { $what ->
    [none] A passkey does not sign in for now: its model is not trusted any more. Sign in with another one, or ask for an access link.
   *[other] The passkey “{ $what }” does not sign in for now: its model is not trusted any more. Sign in with another one, or ask for an access link.
 }
mail-passkey-cloned-of-user-subject = A passkey at { $realm } may have been copied
mail-passkey-cloned-of-user = A passkey of the account “{ $what }” was used in a way that suggests a second copy of its key. It does not sign in any more, and the sessions it opened have ended. You get this because owners are told here.
mail-password-set-subject = The password of your { $realm } account was changed
mail-password-set = Your account has a new password. Other sessions have ended.
mail-password-removed-subject = The password of your { $realm } account was removed
mail-password-removed = Your account has no password any more. You sign in with a passkey.
mail-pass-issued-subject = An access link for your { $realm } account was made
mail-pass-issued = An administrator made a link that lets somebody add a passkey to your account, once. It should reach you, and nobody else.
mail-email-changed-subject = The address of your { $realm } account was changed
mail-email-changed = Mails about your account go to another address from now on. This is the last one that goes to this one.
mail-account-state-subject = Your { $realm } account was switched on or off
mail-account-state = { $what ->
    [active] You can sign in again.
    [locked] Your account is locked: you cannot sign in for now, and your sessions have ended.
   *[other] Your account is switched off: you cannot sign in any more, and your sessions have ended.
 }
mail-account-deleted-subject = Your { $realm } account was deleted
mail-account-deleted = Your account was deleted, with its passkeys and everything else that was kept about you.
mail-second-factor-subject = How you sign in to { $realm } was changed
mail-second-factor = { $what ->
    [on] After your password you are asked for your passkey from now on.
   *[off] Your passkey is not asked for any more: your password alone opens your account.
 }
mail-totp-set-subject = An authenticator app was added to your { $realm } account
mail-totp-set = From now on an authenticator app makes codes for your account.
mail-totp-removed-subject = The authenticator app of your { $realm } account was removed
mail-totp-removed = The codes of your authenticator app are worth nothing any more. Other sessions that began with one have ended.
mail-recovery-codes-set-subject = New recovery codes for your { $realm } account
mail-recovery-codes-set = Ten new recovery codes were made for your account. The ones before are worth nothing any more.
mail-recovery-codes-removed-subject = The recovery codes of your { $realm } account were removed
mail-recovery-codes-removed = Your recovery codes are worth nothing any more.
mail-recovery-opened-subject = Somebody got back into your { $realm } account
mail-recovery-opened = Somebody showed that they may get back into your account, and can now make a passkey or choose a password for it.
mail-recovery-cancelled-subject = Getting back into your { $realm } account was stopped
mail-recovery-cancelled = Somebody wanted to get back into your account and was stopped. Nothing was changed.
mail-recovery-waits-subject = Is it you who wants back into your { $realm } account?
mail-recovery-waits = Somebody says they lost the ways they sign in to your account. They showed a code that only you should have.
mail-recovery-waits-until = They can make a passkey or choose a password from: { $at }
mail-recovery-waits-you = If it is you, do nothing: come back then with the browser in which you began.
mail-recovery-waits-stop = If it is not you, stop it:
mail-recovery-of-user-subject = Somebody gets back into an account of { $realm }
mail-recovery-of-user = The account “{ $what }” is being recovered. You get this because owners are told here.
mail-recovery-code-subject = Your code to get back into your { $realm } account
mail-recovery-code = You asked to get back into your account. This is your code:
mail-enrol-code-subject = Your code for a first passkey at { $realm }
mail-enrol-code = Somebody who knows your password, probably you, wants to make the first passkey of your account. If it is not you, change your password. To go on, type in this code:
mail-address-code-subject = Confirm your address at { $realm }
mail-address-code = Somebody, probably you, gave this address. To confirm that it is yours, type in this code:

## Time
time-now = just now
time-minutes = { $n ->
    [one] 1 minute ago
   *[other] { $n } minutes ago
 }
time-hours = { $n ->
    [one] 1 hour ago
   *[other] { $n } hours ago
 }
time-days = { $n ->
    [one] yesterday
   *[other] { $n } days ago
 }
time-months = { $n ->
    [one] 1 month ago
   *[other] { $n } months ago
 }
time-years = { $n ->
    [one] 1 year ago
   *[other] { $n } years ago
 }
time-exact = { $day } { $month } { $year }, { $clock } UTC
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
