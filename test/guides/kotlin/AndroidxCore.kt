package androidx.core.app

import android.app.PendingIntent
import android.content.Context

class Notification(val title: String?)

object NotificationCompat {
    class Builder(context: Context, channel: String) {
        private var title: String? = null

        fun setSmallIcon(icon: Int): Builder = this

        fun setContentTitle(text: CharSequence?): Builder = apply { title = text?.toString() }

        fun setContentText(text: CharSequence?): Builder = this

        fun setContentIntent(intent: PendingIntent): Builder = this

        fun setAutoCancel(cancels: Boolean): Builder = this

        fun build() = Notification(title)
    }
}

/** Says what is on the screen. */
class NotificationManagerCompat {
    fun areNotificationsEnabled(): Boolean = isPermitted

    fun notify(tag: String?, id: Int, notification: Notification) =
        println("shown ${notification.title}")

    fun cancelAll() = println("cleared")

    companion object {
        var isPermitted = false

        fun from(context: Context) = NotificationManagerCompat()
    }
}
