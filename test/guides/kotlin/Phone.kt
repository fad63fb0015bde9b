package com.acme.shop

import android.app.Activity
import android.app.Application
import android.content.Intent
import androidx.core.app.NotificationManagerCompat
import androidx.work.WorkManager
import androidx.work.WorkerParameters
import com.acme.shop.push.Proof
import com.acme.shop.push.addresseeTag
import com.google.firebase.messaging.FirebaseMessaging
import com.google.firebase.messaging.RemoteMessage
import java.security.Security
import org.json.JSONObject

object BuildConfig {
    val HOMING_URL: String = System.getenv("HOMING_URL")
    val HOMING_KEY: String = System.getenv("HOMING_KEY")
    const val VERSION_NAME = "2.4.1"
}

object R {
    object drawable {
        const val ic_notification = 1
    }
}

object ShopLinks {
    fun open(activity: Activity, url: String?) = println("opened ${url ?: "the app"}")
}

/** Whoever runs the phone is asked for the proof, and answers with one line. */
object ShopApi {
    fun proofFor(userId: String, installationId: String): Proof {
        println("prove $userId $installationId")
        return when (val line = readLine()) {
            null, "not now" -> Proof.NotNow
            "session ended" -> Proof.SessionEnded
            else -> Proof.Assertion(line)
        }
    }
}

/** A process of the app: one command a line, with what happens by it, and then `ok`. */
fun main() {
    Security.addProvider(PhoneKeys())
    val app = ShopApp()
    Application.running = app
    app.onCreate()
    println("ok")
    while (true) {
        val line = readLine() ?: return
        obey(app, line.substringBefore(' '), line.substringAfter(' ', ""))
        println("ok")
    }
}

private fun obey(app: ShopApp, command: String, argument: String) {
    when (command) {
        "permit" -> NotificationManagerCompat.isPermitted = argument == "yes"
        "token" -> {
            FirebaseMessaging.given = argument
            PushService().onNewToken(argument)
        }
        "login" -> app.onLogin(argument)
        "logout" -> app.onLogout()
        "network" -> println(work(app))
        "message" -> PushService().onMessageReceived(RemoteMessage(strings(argument)))
        "tap" -> tap(strings(argument))
        "tag" -> println(addresseeTag(argument.substringBefore(' '), argument.substringAfter(' ')))
        else -> throw IllegalArgumentException(command)
    }
}

private fun work(app: ShopApp): String {
    if (!WorkManager.due.delete()) return "idle"
    val result = SyncWorker(app, WorkerParameters()).doWork().name
    if (result == "retry") WorkManager.due.writeText("again")
    return result
}

private fun tap(data: Map<String, String>) {
    val activity = OpenActivity()
    activity.intent = Intent()
        .putExtra("id", data["homing_notification"]).putExtra("rcpt", data["homing_rcpt"])
        .putExtra("url", data["homing_url"])
    activity.onCreate(null)
}

private fun strings(text: String): Map<String, String> {
    val json = JSONObject(text)
    return json.keys().asSequence().associate { it to json.getString(it) }
}
