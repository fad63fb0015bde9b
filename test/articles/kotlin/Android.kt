import java.net.URL
import javax.net.ssl.HttpsURLConnection

/** As much of Android as the article's classes extend and call. */
class Bundle

open class AppCompatActivity {
    open fun onCreate(savedInstanceState: Bundle?) {}
}

open class FirebaseMessagingService {
    open fun onNewToken(token: String) {}
}

object Log {
    fun e(tag: String, message: String, cause: Exception?) =
        System.err.println("$tag: $message $cause")
}

/** The article calls this and leaves it to the app; it sends what the JavaScript version sends. */
fun registerTokenWithBackend(token: String) {
    val url = URL(System.getenv("API_URL") + "/register-token")
    val connection = url.openConnection() as HttpsURLConnection
    connection.requestMethod = "POST"
    connection.doOutput = true
    connection.setRequestProperty("Content-Type", "application/json")
    connection.setRequestProperty("Authorization", "Bearer " + System.getenv("BEARER"))
    val body = """{"token":"$token","userId":"anna","platform":"android","appVersion":"2.4.1",""" +
        """"deviceId":"dd96dec43fb81c97","timestamp":${System.currentTimeMillis()}}"""
    connection.outputStream.use { it.write(body.toByteArray()) }
    println("${connection.responseCode} ${connection.inputStream.bufferedReader().readText()}")
}

fun main() {
    MainActivity().onCreate(null)
    MyFirebaseMessagingService().onNewToken("a token that the article's service keeps to itself")
}
