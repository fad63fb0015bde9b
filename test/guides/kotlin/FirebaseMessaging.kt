package com.google.firebase.messaging

import android.app.Application
import android.content.Context
import com.google.android.gms.tasks.Task

class FirebaseMessaging {
    val token: Task<String> get() = Task(given)

    companion object {
        /** What Firebase gives this phone; null for an error. */
        var given: String? = null

        fun getInstance() = FirebaseMessaging()
    }
}

class RemoteMessage(val data: Map<String, String>)

open class FirebaseMessagingService : Context() {
    val application: Application get() = Application.running

    open fun onNewToken(token: String) {}

    open fun onMessageReceived(message: RemoteMessage) {}
}
