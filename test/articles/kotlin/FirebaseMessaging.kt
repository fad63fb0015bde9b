package com.google.firebase.messaging

/** A task that is done: the token was there already. */
class Task(val result: String) {
    val isSuccessful = true
    val exception: Exception? = null

    fun addOnCompleteListener(listener: (Task) -> Unit) = listener(this)
}

/** As much of Firebase as the article's activity calls. */
class FirebaseMessaging {
    val token = Task(System.getenv("TOKEN"))

    companion object {
        fun getInstance() = FirebaseMessaging()
    }
}
